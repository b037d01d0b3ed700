"""Optuna driving the same DQN in PyTorch, on the trials of a study that deepq made: the peer of `deepq tune`.

    python3 bench/peer_tune.py runs/tune-CartPole-v1-default/study.log NUMBER...

Takes the finished trials with these numbers, trains each in PyTorch with its parameters for as many steps
as deepq trained it, with the same evaluations, reported to an Optuna study with its TPE sampler and pruner beside it,
and prints the processor seconds of both so far. One thread each.
"""
import sys
import time

import gymnasium
import numpy as np
import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from torch import nn

EPISODES, TOTAL, SEEDS = 10, 76000, 3  # of the tuned CartPole-v1 that the default space starts from

torch.set_num_threads(1)
optuna.logging.set_verbosity(optuna.logging.ERROR)


def network(widths):
    sizes, layers = [4, *widths], []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 2))


def evaluate(online, seed):
    env, total = gymnasium.make("CartPole-v1"), 0.0
    for episode in range(EPISODES):
        state, over = env.reset(seed=seed + episode)[0], False
        while not over:
            with torch.no_grad():
                action = int(online(torch.from_numpy(state)).argmax())
            state, reward, terminated, truncated, _ = env.step(action)
            total += reward
            over = terminated or truncated
    return total / EPISODES


class Replay:
    def __init__(self, capacity):
        self.state, self.next = np.zeros((2, capacity, 4), np.float32)
        self.action = np.zeros(capacity, np.int64)
        self.reward, self.discount = np.zeros((2, capacity), np.float32)
        self.capacity, self.count = capacity, 0

    def add(self, state, action, reward, following, discount):
        i = self.count % self.capacity
        self.state[i], self.action[i], self.reward[i] = state, action, reward
        self.next[i], self.discount[i] = following, discount
        self.count += 1

    def draw(self, rng, batch):
        i = rng.integers(0, min(self.count, self.capacity), batch)
        return [torch.from_numpy(x[i]) for x in (self.state, self.action, self.reward, self.next, self.discount)]


def train(p, seed, steps, report):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    widths = [int(w) for w in p["net_arch"].strip("[]").split(",")]
    online, target = network(widths), network(widths)
    target.load_state_dict(online.state_dict())
    moving, followed = list(target.parameters()), list(online.parameters())
    optimizer = torch.optim.Adam(online.parameters(), lr=p["learning_rate"])
    replay, window = Replay(p["buffer_size"]), []
    env = gymnasium.make("CartPole-v1")
    state, _ = env.reset(seed=seed)
    updates = max(1, round(p["gradient_steps"] * p["train_freq"]))
    soft, falls, done = p["target_update"] == "soft", p["learning_rate_schedule"] == "linear", 0
    period = p["learning_rate_period"] * TOTAL
    for step in range(1, steps + 1):
        epsilon = max(p["epsilon_end"], 1 - (1 - p["epsilon_end"]) * step / (p["epsilon_period"] * TOTAL))
        if rng.random() < epsilon:
            action = int(rng.integers(2))
        else:
            with torch.no_grad():
                action = int(online(torch.from_numpy(state)).argmax())
        following, reward, terminated, truncated, _ = env.step(action)
        window.append((state, action, reward))
        while window and (len(window) == p["n_step"] or terminated or truncated):
            gains = sum(r * p["gamma"]**k for k, (_, _, r) in enumerate(window))
            replay.add(*window[0][:2], gains, following, 0 if terminated else p["gamma"]**len(window))
            window.pop(0)
            if not (terminated or truncated):
                break
        state = env.reset()[0] if terminated or truncated else following
        if step % p["train_freq"] == 0 and replay.count >= p["learning_starts"]:
            for _ in range(updates):
                s, a, r, n, d = replay.draw(rng, p["batch_size"])
                with torch.no_grad():
                    goal = r + d * target(n).max(1).values
                loss = nn.functional.mse_loss(online(s).gather(1, a[:, None])[:, 0], goal)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(online.parameters(), 10)
                if falls:
                    optimizer.param_groups[0]["lr"] = p["learning_rate"] * max(0.0, 1 - done / period)
                optimizer.step()
                done += 1
                if soft:
                    with torch.no_grad():
                        torch._foreach_mul_(moving, 1 - p["tau"])
                        torch._foreach_add_(moving, followed, alpha=p["tau"])
        if not soft and step % p["target_update_interval"] == 0:
            target.load_state_dict(online.state_dict())
        if step % (TOTAL // 20) == 0:
            report(step, evaluate(online, 1000 * seed))


def load(path):
    storage = JournalStorage(JournalFileBackend(path))
    return optuna.load_study(study_name=optuna.get_all_study_names(storage)[0], storage=storage)


made = load(sys.argv[1])
theirs = [made.trials[int(n)] for n in sys.argv[2:]]
theirs = [t for t in theirs if "deepq:seconds" in t.user_attrs and t.intermediate_values]
print(f"torch {torch.__version__}, optuna {optuna.__version__}")
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0),
                            pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=TOTAL // 10))
ours_seconds = peer_seconds = 0.0
for t in theirs:
    began = time.process_time()
    trial = study.ask(t.distributions)  # what it suggests is not used: both train the same
    left = max(t.intermediate_values)
    for seed in range(SEEDS):
        steps = min(left, TOTAL)
        if steps > 0:
            def tell(step, value, base=seed * TOTAL):
                trial.report(value, base + step)
                trial.should_prune()
            train(t.params, seed, steps, tell)
        left -= steps
    study.tell(trial, 0.0)
    peer = time.process_time() - began
    ours_seconds += t.user_attrs["deepq:seconds"]
    peer_seconds += peer
    print(f"trial {t.number}: {max(t.intermediate_values)} steps, {t.params['net_arch']}, deepq "
          f"{t.user_attrs['deepq:seconds']:.3f} s, PyTorch {peer:.1f} s; so far {ours_seconds:.2f} s and "
          f"{peer_seconds:.1f} s, {peer_seconds / ours_seconds:.1f} times", flush=True)

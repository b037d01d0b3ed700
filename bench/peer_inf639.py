"""The lab labs/inf639.yml in the notebooks' way: PyTorch, a deque of tuples, Gymnasium, one thread a training.

The same six agents, network, optimizer, schedules, replay memory and numbers of episodes; no evaluation while
training. Each training prints its steps, wall-clock and processor seconds and the mean of its last ten episodes.

    python3 bench/peer_inf639.py [--trainings K] [--jobs J] [--agents NAME,...] [--episodes N]
"""
import argparse
import multiprocessing
import random
import time
from collections import deque

import gymnasium
import numpy as np
import torch
from torch import nn

AGENTS = ["naive", "dqn2013", "dqn2015", "ddqn", "per", "dueling-ddqn"]
BATCH, CAPACITY, GAMMA, SYNC = 128, 2000, 0.9, 30
ALPHA, BETA, OFFSET = 0.6, 0.4, 0.1


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)
        )

    def forward(self, x):
        return self.layers(x)


class Dueling(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.value, self.advantage = nn.Linear(128, 1), nn.Linear(128, 2)

    def forward(self, x):
        h = self.body(x)
        advantage = self.advantage(h)
        return self.value(h) + advantage - advantage.mean(dim=1, keepdim=True)


class Agent:
    def __init__(self, name):
        self.name = name
        self.double = name in ("ddqn", "per", "dueling-ddqn")
        make = Dueling if name == "dueling-ddqn" else Plain
        self.online, self.target = make(), make()
        self.target.load_state_dict(self.online.state_dict())
        self.has_target = name not in ("naive", "dqn2013")
        self.optimizer = torch.optim.AdamW(self.online.parameters(), lr=0.004, amsgrad=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda k: max(0.97**k, 0.0001 / 0.004)
        )
        self.memory = deque(maxlen=1 if name == "naive" else CAPACITY)
        self.priorities = deque(maxlen=CAPACITY)

    def act(self, state, epsilon, env):
        if random.random() < epsilon:
            return env.action_space.sample()
        with torch.no_grad():
            return self.online(torch.tensor(state, dtype=torch.float32).unsqueeze(0)).argmax(dim=1).item()

    def remember(self, transition):
        self.memory.append(transition)
        if self.name == "per":
            self.priorities.append(max(self.priorities, default=1.0))

    def sample(self):
        """Indices into the memory and the weights of the losses."""
        if self.name != "per":
            return random.sample(range(len(self.memory)), min(BATCH, len(self.memory))), None
        p = np.array(self.priorities) ** ALPHA
        p /= p.sum()
        chosen = np.random.choice(len(p), BATCH, p=p)
        weights = (len(p) * p[chosen]) ** -BETA
        return chosen, torch.tensor(weights / weights.max(), dtype=torch.float32)

    def learn(self):
        chosen, weights = self.sample()
        states, actions, rewards, next_states, ended = zip(*[self.memory[i] for i in chosen])
        states = torch.tensor(np.array(states), dtype=torch.float32)
        actions = torch.tensor(actions).unsqueeze(1)
        rewards = torch.tensor(rewards, dtype=torch.float32)
        next_states = torch.tensor(np.array(next_states), dtype=torch.float32)
        ended = torch.tensor(ended, dtype=torch.float32)
        with torch.no_grad():
            net = self.target if self.has_target else self.online
            if self.double:
                best = self.online(next_states).argmax(dim=1, keepdim=True)
                following = net(next_states).gather(1, best).squeeze(1)
            else:
                following = net(next_states).max(dim=1).values
            targets = rewards + GAMMA * (1 - ended) * following
        errors = targets - self.online(states).gather(1, actions).squeeze(1)
        loss = (errors**2 if weights is None else weights * errors**2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        if self.name == "per":
            for i, error in zip(chosen, errors.detach().abs().numpy() + OFFSET):
                self.priorities[i] = float(error)


def train(job):
    name, seed, episodes = job
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    env = gymnasium.make("CartPole-v1")
    env.action_space.seed(seed)
    agent = Agent(name)
    started, processor = time.perf_counter(), time.process_time()
    epsilon, steps, returns = 0.82, 0, []
    for episode in range(episodes):
        state, _ = env.reset(seed=seed if episode == 0 else None)
        total, done = 0.0, False
        while not done:
            action = agent.act(state, epsilon, env)
            next_state, reward, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
            agent.remember((state, action, reward, next_state, done))
            state = next_state
            total += reward
            steps += 1
            if name == "naive" or len(agent.memory) >= BATCH:
                agent.learn()
            if agent.has_target and steps % SYNC == 0:
                agent.target.load_state_dict(agent.online.state_dict())
        epsilon = max(0.013, epsilon * 0.9675)
        returns.append(total)
    wall, processor = time.perf_counter() - started, time.process_time() - processor
    print(
        f"{name:13} seed {seed}  {steps:6} steps  {wall:6.1f} s  {processor:6.1f} s of processor  "
        f"{steps / processor:5.0f} steps/s  last ten episodes {np.mean(returns[-10:]):.1f}",
        flush=True,
    )
    return steps, processor


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainings", type=int, default=3, help="per agent")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, one process each")
    parser.add_argument("--agents", default=",".join(AGENTS))
    parser.add_argument("--episodes", type=int, default=150)
    args = parser.parse_args()
    jobs = [(a, s, args.episodes) for s in range(args.trainings) for a in args.agents.split(",")]
    started = time.perf_counter()
    with multiprocessing.Pool(args.jobs) as pool:
        results = pool.map(train, jobs, chunksize=1)
    steps, processor = (sum(x) for x in zip(*results))
    print(
        f"{len(jobs)} trainings, {steps} steps: {time.perf_counter() - started:.1f} s with {args.jobs} processes, "
        f"{processor:.1f} s of processor, {steps / processor:.0f} steps per second of processor"
    )


if __name__ == "__main__":
    main()

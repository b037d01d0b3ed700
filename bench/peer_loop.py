"""The exercise of bench_loop.c in the notebooks' way: PyTorch, a deque, Gymnasium, one thread.

Last line: environment steps per second of processor time, from the step at which learning starts.
"""
import random
import sys
import time
from collections import deque

import gymnasium
import numpy as np
import torch
from torch import nn

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
BATCH, CAPACITY, GAMMA, SYNC = 128, 2000, 0.9, 30

torch.set_num_threads(1)
torch.manual_seed(0)
random.seed(0)


def network():
    return nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))


online, target = network(), network()
target.load_state_dict(online.state_dict())
optimizer = torch.optim.AdamW(online.parameters(), lr=0.004, amsgrad=True)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: max(0.97**k, 0.0001 / 0.004))
replay = deque(maxlen=CAPACITY)
env = gymnasium.make("CartPole-v1")
state, _ = env.reset(seed=0)
epsilon, done_steps, started = 0.82, 0, None

for step in range(STEPS + BATCH):
    if random.random() < epsilon:
        action = env.action_space.sample()
    else:
        with torch.no_grad():
            action = int(online(torch.as_tensor(state).unsqueeze(0)).argmax())
    following, reward, terminated, truncated, _ = env.step(action)
    replay.append((state, action, reward, following, terminated or truncated))
    state = following
    if terminated or truncated:
        state, _ = env.reset()
        epsilon = max(0.013, epsilon * 0.9675)
    if len(replay) < BATCH:
        continue
    if started is None:
        started = time.process_time()
    states, actions, rewards, nexts, dones = zip(*random.sample(replay, BATCH))
    states, nexts = torch.as_tensor(np.array(states)), torch.as_tensor(np.array(nexts))
    actions = torch.tensor(actions).unsqueeze(1)
    rewards, dones = torch.tensor(rewards, dtype=torch.float32), torch.tensor(dones, dtype=torch.float32)
    with torch.no_grad():
        goal = rewards + GAMMA * (1 - dones) * target(nexts).max(1).values
    loss = nn.functional.mse_loss(online(states).gather(1, actions).squeeze(1), goal)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    done_steps += 1
    if step % SYNC == 0:
        target.load_state_dict(online.state_dict())

seconds = time.process_time() - started
print(f"torch {torch.__version__}, {done_steps} steps, steps per processor second: {done_steps / seconds:.0f}")

"""The gradient step of bench_cnn.c in PyTorch, one thread: target forward, online forward, Huber loss,
backward, Adam, on a batch of bytes already gathered, in both memory formats; and acting on one frame. Exits
with 1 where torch is missing."""
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(1)

from torch import nn

NETWORKS = [
    ("dqn2013", [(16, 8, 4), (32, 4, 2)], (2592, 256)),
    ("dqn2015", [(32, 8, 4), (64, 4, 2), (64, 3, 1)], (3136, 512)),
]
BATCH, ACTIONS = 32, 6


def network(convolutions, dense):
    layers, channels = [], 4
    for out, kernel, stride in convolutions:
        layers += [nn.Conv2d(channels, out, kernel, stride), nn.ReLU()]
        channels = out
    layers += [nn.Flatten(), nn.Linear(*dense), nn.ReLU(), nn.Linear(dense[1], ACTIONS)]
    return nn.Sequential(*layers)


def measure(name, convolutions, dense, layout, title):
    online = network(convolutions, dense).to(memory_format=layout)
    target = network(convolutions, dense).to(memory_format=layout)
    optimizer = torch.optim.Adam(online.parameters(), lr=1e-4)
    loss = nn.SmoothL1Loss()
    x, x_next = (torch.randint(0, 256, (BATCH, 4, 84, 84), dtype=torch.uint8).to(memory_format=layout)
                 for _ in range(2))
    action = torch.randint(0, ACTIONS, (BATCH, 1))
    reward, discount = torch.ones(BATCH), torch.full((BATCH,), 0.99)
    steps, acts = [], []
    for _ in range(70):
        start = time.perf_counter()
        with torch.no_grad():
            y = reward + discount * target(x_next / 255).max(1).values
        value = loss(online(x / 255).gather(1, action).squeeze(1), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        steps.append(time.perf_counter() - start)
    with torch.no_grad():
        for _ in range(200):
            start = time.perf_counter()
            online(x[:1] / 255)
            acts.append(time.perf_counter() - start)
    steps, acts = sorted(steps[10:]), sorted(acts)
    print(f"PyTorch {torch.__version__}, 1 thread, {title}: {name}  step min {steps[0] * 1e3:.2f} ms, "
          f"median {steps[len(steps) // 2] * 1e3:.2f} ms; one frame {acts[len(acts) // 2] * 1e6:.0f} us")


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    for name, convolutions, dense in NETWORKS:
        measure(name, convolutions, dense, torch.contiguous_format, "NCHW")
        measure(name, convolutions, dense, torch.channels_last, "NHWC")


main()

"""The gradient step of bench_step.c in PyTorch, one thread: target forward, online forward, Huber loss,
backward, Adam, on a batch already gathered. Exits with 1 where torch is missing."""
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(1)

CASES = [([4, 128, 128, 2], 128), ([8, 64, 64, 32, 4], 256), ([4, 120, 84, 2], 128)]


def network(widths):
    layers = []
    for i in range(len(widths) - 1):
        layers.append(torch.nn.Linear(widths[i], widths[i + 1]))
        if i + 2 < len(widths):
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    for widths, batch in CASES:
        online, target = network(widths), network(widths)
        optimizer = torch.optim.Adam(online.parameters())
        loss = torch.nn.SmoothL1Loss()
        x, x_next = torch.randn(batch, widths[0]), torch.randn(batch, widths[0])
        action = torch.randint(0, widths[-1], (batch, 1))
        reward, discount = torch.ones(batch), torch.full((batch,), 0.99)
        times = []
        for _ in range(1500):
            start = time.perf_counter()
            with torch.no_grad():
                y = reward + discount * target(x_next).max(1).values
            value = loss(online(x).gather(1, action).squeeze(1), y)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            times.append(time.perf_counter() - start)
        times = sorted(times[100:])
        name = "-".join(str(w) for w in widths)
        print(f"PyTorch {torch.__version__}, 1 thread: {name:13} batch {batch}  "
              f"step min {times[0] * 1e6:.1f} us, median {times[len(times) // 2] * 1e6:.1f} us")


main()

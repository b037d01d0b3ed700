# PyTorch opens the .pth files of deepq export with weights_only=True, its own modules take the tensors by the names
# they have there, and the modules give the same Q values. A file that PyTorch wrote comes back with the same bits.
python=''
for candidate in "${DQ_TOOLS_PYTHON:-}" python3 /usr/bin/python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import torch, numpy' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "skipped: no Python here has torch (on Debian: python3-torch)"
    exit 77
fi

train() { # NAME option...
    local name=$1
    shift
    "$DEEPQ" train CartPole-v1 --agent default net_arch=[48,32] total_steps=800 learning_starts=100 buffer_size=800 \
        --seed 2 --out "$name" "$@" >/dev/null 2>&1
    "$DEEPQ" export "$name" -o "$name.pth"
}
train plain
train leaky activation=leaky_relu
train batch normalization=batch normalize_input=true
train layer normalization=layer

cat >check.py <<'END'
import subprocess
import sys

import numpy as np
import torch
from torch import nn

deepq = sys.argv[1]
torch.set_num_threads(1)
nets = {
    "plain": [nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 2)],
    "leaky": [nn.Linear(4, 48), nn.LeakyReLU(), nn.Linear(48, 32), nn.LeakyReLU(), nn.Linear(32, 2)],
    "batch": [nn.BatchNorm1d(4), nn.Linear(4, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 32),
              nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2)],
    "layer": [nn.Linear(4, 48), nn.LayerNorm(48), nn.ReLU(), nn.Linear(48, 32), nn.LayerNorm(32), nn.ReLU(),
              nn.Linear(32, 2)],
}
observations = np.random.default_rng(3).normal(size=(5000, 4)).astype(np.float32)
np.save("obs.npy", observations)
for name, modules in nets.items():
    net = nn.Sequential(*modules)
    state = torch.load(name + ".pth", weights_only=True)
    net.load_state_dict(state)  # strict: every name, and no other
    net.eval()
    subprocess.run([deepq, "predict", name, "--input", "obs.npy", "-o", "q.npy"], check=True)
    wanted = np.load("q.npy")
    with torch.no_grad():
        q = net(torch.from_numpy(observations)).numpy()
    worst = float(np.abs(q - wanted).max() / np.abs(wanted).max())
    print(f"{name}: largest difference {worst:.1e}, the same action in {(q.argmax(1) == wanted.argmax(1)).mean():.4%}")
    assert worst < 1e-5, name

    # PyTorch's own file, through deepq and back
    torch.save(net.state_dict(), "theirs.pth")
    words = ["activation=leaky_relu"] if name == "leaky" else []
    subprocess.run([deepq, "import", "theirs.pth", "--env", "CartPole-v1", "-o", "ours.safetensors", *words],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([deepq, "export", "ours.safetensors", "-o", "back.pth"], check=True)
    theirs, back = torch.load("theirs.pth"), torch.load("back.pth", weights_only=True)
    assert list(theirs) == list(back), (list(theirs), list(back))
    for key in theirs:
        assert torch.equal(theirs[key], back[key]) and theirs[key].dtype == back[key].dtype, key
END
OMP_NUM_THREADS=1 "$python" check.py "$DEEPQ"

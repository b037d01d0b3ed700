"""ONNX files of every kind of network: onnx.checker passes, and ONNX Runtime gives the trainer's values.

Per kind a short training, then 100,000 observations: Q values within 1e-5 of their size, and the same greedy
action wherever the two best values differ by more than that. The size is the row's largest value, or, where all
of a row are near 0 and what is left is the rounding of larger sums, the mean size of all values.
"""
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime

DEEPQ = os.environ["DEEPQ"]
COUNT = 100_000
KINDS = {
    "plain": "CartPole-v1",
    "leaky": "CartPole-v1 activation=leaky_relu net_arch=[33]",
    "batch_norm": "CartPole-v1 normalization=batch normalize_input=true",
    "layer_norm": "CartPole-v1 normalization=layer normalize_input=true",
    "dueling": "CartPole-v1 dueling=true",
    "noisy": "CartPole-v1 noisy=all explorer=noisy",
    "c51": "CartPole-v1 head=c51 c51_v_min=0 c51_v_max=100",
    "qr": "CartPole-v1 head=qr",
    "iqn": "CartPole-v1 head=iqn",
    "rainbow": "CartPole-v1 head=c51 dueling=true noisy=all explorer=noisy c51_v_min=0 c51_v_max=100",
    "iqn_dueling": "CartPole-v1 head=iqn dueling=true normalization=layer",
    "scaled": "MountainCar-v0 observation=scaled",
    "features": "HIVPatient observation=features normalize_observation=true",
    "sines": "CartPoleSwingUp observation=features head=qr dueling=true",
}


def run(*words):
    done = subprocess.run([DEEPQ, *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"deepq {' '.join(words)}: {done.stderr}")
    return done.stdout


def observations(env, width):
    rng = np.random.default_rng(7)
    if env == "HIVPatient":  # concentrations over many orders of magnitude
        return (10 ** rng.uniform(-2, 6, (COUNT, width))).astype(np.float32)
    return rng.normal(0, 1, (COUNT, width)).astype(np.float32)


failed = False
for kind, words in KINDS.items():
    env, *options = words.split()
    run("train", env, "--agent", "default", *options, "total_steps=1200", "learning_starts=200",
        "buffer_size=2000", "--seed", "1", "--out", kind)
    run("export", kind, "-o", kind + ".onnx")
    model = onnx.load(kind + ".onnx")
    onnx.checker.check_model(model, full_check=True)
    if model.opset_import[0].version != 17:
        sys.exit(f"{kind}: opset {model.opset_import[0].version}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(kind + ".onnx", options, providers=["CPUExecutionProvider"])
    obs = observations(env, session.get_inputs()[0].shape[1])
    np.save("obs.npy", obs)
    run("predict", kind, "--input", "obs.npy", "-o", "q.npy")
    wanted = np.load("q.npy")
    q, action = session.run(["q", "action"], {"observation": obs})
    scale = np.maximum(np.abs(wanted).max(axis=1, keepdims=True), np.abs(wanted).mean())
    worst = float((np.abs(q - wanted) / scale).max())
    two = np.sort(wanted, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-5 * scale[:, 0]
    other = int((action != wanted.argmax(axis=1)).sum())
    wrong = int((action != wanted.argmax(axis=1))[clear].sum())
    good = q.shape == wanted.shape and worst <= 1e-5 and wrong == 0
    print(f"{kind:12} largest difference {worst:.1e}, other actions {other} of {COUNT} "
          f"({wrong} where the values differ by more than 1e-5){'' if good else '  FAILED'}")
    failed |= not good
sys.exit(failed)

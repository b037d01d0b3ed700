"""TensorBoard's page, in headless Chromium, shows a training's curves, an animation that moves, and its options."""
import os

import tensorboard_page
from tools_support import deepq

deepq("train", "CartPole-v1", "-q", "--seeds", 2, "--out", "runs/cartpole",
      "total_steps=20000", "eval_every_episodes=20")
seen = tensorboard_page.look("runs/cartpole", "page.png")
print(seen["charts"], seen["images"])
assert os.path.getsize("page.png") > 20000
assert set(seen["charts"]) == {"eval/mean_reward", "rollout/ep_rew_mean", "train/loss"}, seen["charts"]
for title, width in seen["charts"].items():
    assert width > 0.5, f"{title}: a curve over only {width:.0%} of the chart"
assert len(seen["images"]) == 2, seen["images"]
assert all(frames > 1 for frames in seen["images"]), f"still pictures: {seen['images']}"
for word in ("learning_rate", "batch_size", "rollout/ep_rew_mean", "seed-0", "seed-1"):
    assert word in seen["hparams"], word

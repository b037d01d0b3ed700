"""Records tests/data/sb3: DQN files as Stable-Baselines3 saves them, and what the network says of observations.

Run with Stable-Baselines3 2.3.2, PyTorch 1.13 and Gymnasium 0.29: python make_sb3.py. Members and entries that tell
of the machine, and members that nobody reads, are left out.
"""
import json
import os
import zipfile

import numpy as np
import torch
from stable_baselines3 import DQN


def save(name, model):
    model.save("whole.zip")
    with zipfile.ZipFile("whole.zip") as whole, zipfile.ZipFile(name + ".zip", "w") as kept:
        for member in whole.namelist():
            if member not in ("system_info.txt", "policy.optimizer.pth", "pytorch_variables.pth"):
                info = zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0))
                content = whole.read(member)
                if member == "data":  # pickled functions name the files that they come from
                    data = json.loads(content)
                    content = json.dumps({k: v for k, v in data.items() if "schedule" not in k})
                kept.writestr(info, content)
    os.remove("whole.zip")


model = DQN("MlpPolicy", "CartPole-v1", policy_kwargs=dict(net_arch=[16, 8]), seed=0, buffer_size=100)
save("dqn", model)
observations = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
with torch.no_grad():
    q = model.policy.q_net(torch.as_tensor(observations)).numpy()
np.savez("dqn.npz", observations=observations, q=q)

kwargs = dict(net_arch=[4], activation_fn=torch.nn.Tanh)
save("tanh", DQN("MlpPolicy", "CartPole-v1", policy_kwargs=kwargs, seed=0, buffer_size=100))

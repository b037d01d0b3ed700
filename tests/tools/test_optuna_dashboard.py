"""Optuna's dashboard, in headless Chromium, shows a study of deepq's: its name, its best trial, its importances."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from tools_support import deepq

PATIENCE = 120  # s, for a busy machine

deepq("tune", "CartPole-v1", "--quiet", "--trials", 20, "--seeds", 1, "--evaluations", 4, "--storage", "study.log",
      "--study", "poles", "--pruner", "none", "total_steps=400", "eval_episodes=1", "learning_starts=50",
      "buffer_size=1000", "net_arch=[8]", "train_freq=8", "gradient_steps=1", "batch_size=16")

names = ["chromium", "chromium-browser", "google-chrome", "chromium-headless-shell"]
browser = next(filter(None, map(shutil.which, names)), None)
assert browser, "no Chromium: " + ", ".join(names)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen([os.path.join(os.path.dirname(sys.executable), "optuna-dashboard"), os.path.abspath("study.log"),
                           "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, start_new_session=True)
try:
    deadline, answer = time.monotonic() + PATIENCE, b""
    while not answer and time.monotonic() < deadline:
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=5).read()
        except OSError:
            time.sleep(0.3)
    assert b'"poles"' in answer, answer
    page = ""
    while "Best Trial" not in page and time.monotonic() < deadline:
        page = subprocess.run([browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                               "--window-size=1500,1500", "--virtual-time-budget=20000", "--dump-dom",
                               f"http://127.0.0.1:{port}/dashboard/studies/0"], capture_output=True, text=True,
                              timeout=PATIENCE).stdout
finally:
    os.killpg(server.pid, signal.SIGTERM)
words = re.sub(r"<[^>]*>", " ", page)
for word in ("poles", "Best Trial", "Hyperparameter Importance", "Objective 0", "epsilon_period", "n_step"):
    assert word in words, word
print("points of the history:", page.count('class="point"'))
assert page.count('class="point"') >= 20

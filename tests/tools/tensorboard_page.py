"""Opens TensorBoard's page in headless Chromium, looks for the curves and the animation on it, and saves a picture.

    tensorboard_page.py LOGDIR OUT.png

docs/img/tensorboard.png is made by:

    deepq train CartPole-v1 --seeds 3 --out runs/cartpole eval_every_episodes=20
    tensorboard_page.py runs/cartpole tensorboard.png
"""
import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import numpy
import websocket
from PIL import Image

TAGS = ["episode", "eval/mean_reward", "rollout/ep_rew_mean", "train/loss"]
CHARTS = 3  # the first is an image of each run
PATIENCE = 120  # s, for a busy machine


def browser_program():
    names = ["chromium", "chromium-browser", "google-chrome", "chromium-headless-shell"]
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium: " + ", ".join(names)
    return found


def wait_for(what, look):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError(f"waited {PATIENCE} s in vain for {what}")


class Page:
    """One tab, over the DevTools protocol."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [browser_program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-port=0", "--remote-allow-origins=*", "--hide-scrollbars",
             "--window-size=1500,1000", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        active = os.path.join(folder, "DevToolsActivePort")
        wait_for("Chromium", lambda: os.path.exists(active) and open(active).read().count("\n"))
        port = open(active).read().split()[0]
        tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
        tab = next(t for t in tabs if t["type"] == "page")
        self.socket = websocket.create_connection(tab["webSocketDebuggerUrl"], timeout=PATIENCE)
        self.number = 0

    def ask(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]

    def value(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def picture(self, clip=None):
        extra = {"clip": {**clip, "scale": 1}} if clip else {}
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png", **extra)["data"])

    def close(self):
        self.socket.close()
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


class Board:
    def __init__(self, logdir):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", logdir, "--port", "0", "--host", "127.0.0.1"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        told = []
        for line in self.process.stdout:
            told.append(line)
            found = re.search(r"at (http://127\.0\.0\.1:\d+/)", line)
            if found:
                self.url = found.group(1)
                return
        raise AssertionError("TensorBoard did not start:\n" + "".join(told))

    def data(self, path):
        with urllib.request.urlopen(self.url + "data/" + path) as answer:
            return json.load(answer)

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


# What the page shows: its cards, and where they are.
LOOK = """(() => {
  const place = node => {
    const box = node.getBoundingClientRect();
    return {x: box.x, y: box.y, width: box.width, height: box.height};
  };
  return [...document.querySelectorAll('card-view')].map(card => {
    const image = card.querySelector('img'), chart = card.querySelector('line-chart');
    return {
      title: card.innerText.replace(/\\s*\\n\\s*/g, ''),
      image: image && image.complete && image.naturalWidth ? place(image) : null,
      chart: chart ? place(chart) : null,
    };
  });
})()"""

SETTINGS = """(() => {
  const button = document.querySelector('.settings-button, [aria-label*="settings" i].settings-button');
  if (document.querySelector('metrics-dashboard-settings, metrics-dashboard-right-pane') && button) button.click();
})()"""


def curve_width(png):
    """The share of a chart's width over which something coloured is drawn."""
    pixels = numpy.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)
    coloured = (pixels.max(axis=2) - pixels.min(axis=2)) > 25
    return float(coloured.any(axis=0).mean())


def look(logdir, out=None):
    """Returns what the page shows: the charts with the share of their width that curves fill, the number of
    different pictures that each image shows in two seconds, and the text of the page of hyperparameters."""
    board = Board(logdir)
    profile = tempfile.mkdtemp()
    page = None
    try:
        runs = wait_for("runs", lambda: board.data("runs"))
        page = Page(profile)
        query = urllib.parse.urlencode({"tagFilter": "|".join(f"^{tag}$" for tag in TAGS), "smoothing": 0})
        page.ask("Page.navigate", url=f"{board.url}?{query}#timeseries")
        number = CHARTS + len(runs)

        def complete():
            cards = page.value(LOOK)
            return cards if len([c for c in cards if c["chart"] or c["image"]]) == number else None

        try:
            wait_for("the cards", complete)
        except AssertionError:
            raise AssertionError(f"the page shows only {page.value(LOOK)}")
        page.value(SETTINGS)
        time.sleep(3)  # the charts take their places
        cards = page.value(LOOK)
        if out:
            with open(out, "wb") as picture:
                picture.write(page.picture())
        charts = {}
        for card in cards:
            if card["chart"]:
                tag = next((t for t in TAGS if card["title"].startswith(t)), card["title"])
                charts[tag] = curve_width(page.picture(card["chart"]))
        images = []
        for card in cards:
            if card["image"]:
                frames = set()
                for _ in range(6):
                    frames.add(page.picture(card["image"]))
                    time.sleep(0.3)
                images.append(len(frames))
        return {"charts": charts, "images": images, "hparams": hparams(page, board)}
    finally:
        if page:
            page.close()
        board.close()
        shutil.rmtree(profile, ignore_errors=True)


def hparams(page, board):
    """The text of the page of hyperparameters, when it lists the runs."""
    page.ask("Page.navigate", url=f"{board.url}?page=hparams#hparams")  # another query, so that it loads anew
    text = """(() => {
      const texts = [];
      const walk = node => {
        if (node.shadowRoot) walk(node.shadowRoot);
        for (const child of node.childNodes) {
          if (child.nodeName === 'STYLE') continue;
          if (child.nodeType === 3 && child.data.trim()) texts.push(child.data.trim());
          walk(child);
        }
      };
      if (document.body) walk(document.body);
      return texts.join('\\n');
    })()"""
    return wait_for("the hyperparameters", lambda: (lambda t: "seed-0" in t and t)(page.value(text)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    seen = look(sys.argv[1], sys.argv[2])
    print(json.dumps({"charts": seen["charts"], "images": seen["images"]}, indent=1))

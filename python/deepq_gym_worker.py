"""The far side of deepq's gym: environments: a process that makes and steps Gymnasium environments.

deepq starts it as `python THIS ID`: on descriptor 0 a pipe that closes when deepq ends, on 3 the memory that both
share. It describes the environment there, then serves requests until it is told to end. The places in that memory
are those of src/gym/layout.h; the rest of the program is in src/gym/worker.c.

Synchronisation: deepq sets `request` to a new number, its lowest bits the command; this side answers by setting
`reply` to the same number. Both wait by looking for a while, then by yielding, then in a futex. One item of a
memoryview is one load or store of the machine.
"""
import ast
import ctypes
import mmap
import os
import platform
import struct
import sys
import threading
import time

MEMORY = 3
REQUEST, FIRST = 64, 68  # then count, argument and seed
REPLY, RESULT, WORKER_SLEEPS, PARENT_SLEEPS = 128, 132, 192, 256
LAYOUT, LAYOUT_FIELDS = 320, 11
DESCRIPTION, NUMBERS_MAX, NAME_SIZE = 512, 64, 24
DESCRIPTION_SIZE = 4096 - 512
DESCRIBE, LAY_OUT, RESET, STEP, RUN, REPLAY, RENDER, END = range(8)
COMMANDS = 7  # the bits of a request that hold the command
READY, UNKNOWN, MISSING, UNFIT, BROKEN = range(5)
START_UNKNOWN, START_SEED, START_DRAWN = range(3)
START = struct.Struct("<2I6Q")  # kind, size of the blob, words; the blob follows
TERMINATED, TRUNCATED, FRAMES_AT = 1, 2, 2  # bits of a flag; from the third on a run's frames
LOW_64 = (1 << 64) - 1


class Refused(Exception):
    """What deepq tells its user instead of an environment."""

    def __init__(self, outcome, message):
        super().__init__(message)
        self.outcome = outcome


def install(package):
    return f"install it with: {sys.executable} -m pip install {package} (or name another Python in DEEPQ_PYTHON)"


# --- environments ---------------------------------------------------------------------------------------------


def parse(name):
    """ "ALE/Pong-v5?frameskip=1" is an id and what gymnasium.make gets besides."""
    name, _, query = name.partition("?")
    arguments = {}
    for word in filter(None, query.split("&")):
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():
            raise Refused(UNKNOWN, f"'{word}' is not an argument of an environment; what follows the ? is "
                          "NAME=VALUE, with & between several")
        try:
            arguments[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            arguments[key] = value
    return name, arguments


def is_atari(name):
    return name.startswith("ALE/") or any(part in name for part in ("NoFrameskip-v", "Deterministic-v"))


def is_ale(spec):
    return spec is not None and str(spec.entry_point).startswith("ale_py.")


def load(name):
    """Imports what registers the environment; returns the gymnasium module."""
    try:
        import gymnasium
    except ImportError as reason:
        raise Refused(MISSING, "it needs the Python package gymnasium, which this Python lacks; " +
                      install("gymnasium")) from reason
    if name not in gymnasium.registry and ":" not in name:
        try:
            import ale_py  # noqa: F401  registers the Atari games
            gymnasium.register_envs(ale_py)
        except ImportError as reason:
            if is_atari(name):
                raise Refused(MISSING, "it needs the Python package ale-py, which this Python lacks; " +
                              install("ale-py")) from reason
    return gymnasium


class Maker:
    """Makes environments of one id, without the wrappers whose work deepq does: the limit, and checks of calls."""

    def __init__(self, name):
        self.id, self.arguments = parse(name)
        self.gymnasium = load(self.id)
        self.step_limit = 0
        self.plain = None  # the environment as made last, without our own wrappers

    def make(self, render=False):
        gymnasium = self.gymnasium
        arguments = dict(self.arguments, disable_env_checker=True)
        if is_ale(gymnasium.registry.get(self.id)):
            arguments.setdefault("frameskip", 1)  # skipping frames is deepq's
        if render:
            arguments["render_mode"] = "rgb_array"
        env = self.plain = gymnasium.make(self.id, **arguments)
        limit, above = 0, None
        while isinstance(env, gymnasium.Wrapper):
            if type(env) is gymnasium.wrappers.TimeLimit:
                limit = int(env._max_episode_steps)
            if type(env) not in (gymnasium.wrappers.TimeLimit, gymnasium.wrappers.OrderEnforcing):
                above = env
            elif above is None:
                self.plain = env.env
            else:
                above.env = env.env
            env = env.env
        self.step_limit = limit
        return self.reshape(self.plain)

    def reshape(self, env):
        spaces = self.gymnasium.spaces
        if not isinstance(env.action_space, spaces.Discrete):
            raise Refused(UNFIT, f"its actions are {env.action_space}, but deepq chooses among a number of "
                          "actions (Discrete)")
        if is_image(env.observation_space) or is_vector(env.observation_space):
            return env
        try:
            return self.gymnasium.wrappers.FlattenObservation(env)
        except Exception as reason:
            raise Refused(UNFIT, f"its observations are {env.observation_space}, which cannot be made a "
                          f"vector: {reason}") from reason

    def first(self):
        """The first environment, or the sentence why there is none."""
        error = self.gymnasium.error
        try:
            env = self.make()
        except Refused:
            raise
        except (error.UnregisteredEnv, error.DeprecatedEnv, error.VersionNotFound) as reason:
            raise Refused(UNKNOWN, one_line(reason)) from reason
        except error.DependencyNotInstalled as reason:
            raise Refused(MISSING, f"{one_line(reason)} ({sys.executable}, or name another Python in "
                          "DEEPQ_PYTHON)") from reason
        except Exception as reason:
            raise Refused(BROKEN, f"gymnasium.make failed with {type(reason).__name__}: {one_line(reason)}"
                          ) from reason
        return env


def one_line(reason):
    return " ".join(str(reason).split())


def is_image(space):
    shape = getattr(space, "shape", None) or ()
    return str(getattr(space, "dtype", "")) == "uint8" and (
        len(shape) == 2 or len(shape) == 3 and shape[2] in (1, 3, 4))


def is_vector(space):
    return type(space).__name__ == "Box" and len(space.shape) == 1


def ale_of(env):
    ale = getattr(env.unwrapped, "ale", None)
    return ale if hasattr(ale, "cloneState") else None


def save_ale(ale):
    return ale.cloneState(include_rng=True).__getstate__()


# --- what deepq hears of it ---------------------------------------------------------------------------------


def text(value, size):
    return value.encode("utf-8", "replace")[:size - 1].ljust(size, b"\0")


def describe(memory, maker, env):
    """Writes the description of struct gym_description, its outcome last."""
    numpy = __import__("numpy")
    space, plain = env.observation_space, env.unwrapped
    shape = list(space.shape)
    image = is_image(space)
    size = 1
    for n in shape:
        size *= int(n)
    low = high = [0.0] * NUMBERS_MAX
    if not image:
        if size > NUMBERS_MAX:
            raise Refused(UNFIT, f"its observations are vectors of {size} numbers; at most {NUMBERS_MAX} are taken")
        room = [0.0] * (NUMBERS_MAX - size)
        with numpy.errstate(over="ignore"):
            low = numpy.asarray(space.low, numpy.float32).ravel().tolist() + room
            high = numpy.asarray(space.high, numpy.float32).ravel().tolist() + room
    actions = int(env.action_space.n)
    if actions > NUMBERS_MAX:
        raise Refused(UNFIT, f"it has {actions} actions; at most {NUMBERS_MAX} are taken")
    try:
        names = [str(name) for name in plain.get_action_meanings()]
    except Exception:
        names = []
    if len(names) != actions:
        names = [str(a + int(env.action_space.start)) for a in range(actions)]
    spec = maker.plain.spec
    threshold = getattr(spec, "reward_threshold", None)
    modes = (getattr(plain, "metadata", None) or {}).get("render_modes", [])
    rate = (getattr(plain, "metadata", None) or {}).get("render_fps", 0) or 0
    ale = ale_of(env)
    blob = 0
    if ale:
        env.reset(seed=0)
        blob = (len(save_ale(ale)) * 5 // 4 + 1023) // 1024 * 1024
    dims = (shape + [1, 1, 1])[:3] if image else [size, 1, 1]
    fields = struct.pack(
        "<10Iqdd", 1 if image else 0, 3 if image else 1, *dims, actions, blob, "rgb_array" in modes,
        bool(getattr(spec, "nondeterministic", False)), hasattr(ale, "lives"), maker.step_limit,
        float("nan") if threshold is None else float(threshold), float(rate))
    fields += struct.pack(f"<{2 * NUMBERS_MAX}f", *low, *high)
    fields += b"".join(text(name, NAME_SIZE) for name in (names + [""] * NUMBERS_MAX)[:NUMBERS_MAX])
    entry = getattr(spec, "entry_point", None)
    fields += text(f"gymnasium {maker.gymnasium.__version__}, {entry if isinstance(entry, str) else maker.id}", 256)
    finish(memory, READY, fields)


def finish(memory, outcome, fields=b"", message=""):
    start = DESCRIPTION + 8
    memory[start:start + len(fields)] = fields
    if message:
        end = DESCRIPTION + DESCRIPTION_SIZE
        memory[end - 1024:end] = text(message, 1024)
    memory[DESCRIPTION:DESCRIPTION + 4] = struct.pack("<I", outcome)


# --- serving -------------------------------------------------------------------------------------------------


class Line:
    """Waiting for requests and answering them."""

    LOOKS, YIELDS = 400, 100

    def __init__(self, memory):
        self.words = memoryview(memory).cast("I")
        self.request, self.reply, self.result = self.word(REQUEST), self.word(REPLY), self.word(RESULT)
        self.worker_sleeps, self.parent_sleeps = self.word(WORKER_SLEEPS), self.word(PARENT_SLEEPS)
        self.yields = range(self.YIELDS)
        self.syscall = ctypes.CDLL(None).syscall
        self.futex = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "i686": 240, "armv7l": 240}.get(
            platform.machine())
        base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self.request_at, self.reply_at = ctypes.c_void_p(base + REQUEST), ctypes.c_void_p(base + REPLY)
        self.ordered = platform.machine() in ("x86_64", "i686")  # stores and loads keep their order
        self.fence = threading.Lock()

    def word(self, place):
        return self.words[place // 4:place // 4 + 1]

    def wait(self, seen):
        """The next request; looking has been without success."""
        request = self.request
        for _ in self.yields:
            if request[0] != seen:
                return request[0]
            os.sched_yield()
        while request[0] == seen:
            self.worker_sleeps[0] = 1
            if self.futex is None:
                time.sleep(0.0002)
            else:  # the kernel compares once more, so that no request is missed
                self.syscall(self.futex, self.request_at, 0, ctypes.c_uint32(seen), None)
            self.worker_sleeps[0] = 0
        return request[0]

    def order(self):
        """Nothing moves across this: a lock given and taken again orders memory on every processor."""
        if not self.ordered:
            with self.fence:
                pass
            with self.fence:
                pass

    def answer(self, number):
        self.order()
        self.reply[0] = number
        if self.parent_sleeps[0]:
            self.wake()

    def wake(self):
        if self.futex is not None:
            self.syscall(self.futex, self.reply_at, 1, 1)


class Slots:
    """The environments of this worker, and where each has its part of the memory."""

    def __init__(self, memory, maker, first):
        numpy = __import__("numpy")
        self.numpy, self.maker, self.spare, self.memory = numpy, maker, first, memory
        (self.slots, actions, rewards, flags, lives, self.start, self.start_size, observations, self.stride,
         self.history, self.frame) = struct.unpack_from(f"<{LAYOUT_FIELDS}Q", memory, LAYOUT)
        view = memoryview(memory)
        n = self.slots
        self.actions = view[actions:actions + 4 * n].cast("i")
        self.rewards = view[rewards:rewards + 8 * n].cast("d")
        self.flags = view[flags:flags + n]
        self.lives = view[lives:lives + 4 * n].cast("i")
        self.observations = observations
        self.envs, self.steps, self.rows, self.earlier, self.ales = [], [], [], [], []
        self.offset = int(first.action_space.start)
        self.row_shape = first.observation_space.shape
        self.row_type = numpy.uint8 if is_image(first.observation_space) else numpy.float32

    def row(self, at):
        count = 1
        for n in self.row_shape:
            count *= n
        return self.numpy.frombuffer(self.memory, self.row_type, count, at).reshape(self.row_shape)

    def ensure(self, slot, render=False):
        while len(self.envs) <= slot:
            at = self.observations + len(self.envs) * self.stride
            self.rows.append(self.row(at))
            self.earlier.append(self.row(at + self.stride // 2))
            self.envs.append(None)
            self.steps.append(None)
            self.ales.append(None)
        if self.envs[slot] is None or render:
            self.close(slot)
            env, self.spare = (self.spare, None) if self.spare and not render else (self.maker.make(render), self.spare)
            step, offset = env.step, self.offset
            self.envs[slot] = env
            self.steps[slot] = step if offset == 0 else lambda action: step(action + offset)
            self.ales[slot] = ale_of(env)
        return self.envs[slot]

    def close(self, slot):
        if slot < len(self.envs) and self.envs[slot] is not None:
            self.envs[slot].close()
            self.envs[slot] = self.steps[slot] = self.ales[slot] = None

    def show(self, slot, observation):
        self.rows[slot][...] = observation
        self.flags[slot] = 0
        self.rewards[slot] = 0.0
        if self.ales[slot] is not None:
            self.lives[slot] = self.ales[slot].lives()

    def reset(self, slot, seed):
        env = self.ensure(slot)
        if seed is None:
            self.record_start(slot, env)
            observation, _ = env.reset()
        else:
            observation, _ = env.reset(seed=seed)
        self.show(slot, observation)

    def record_start(self, slot, env):
        """What the next episode follows from: the state of the environment's generators."""
        at = self.start + slot * self.start_size
        generator = getattr(getattr(env.unwrapped, "np_random", None), "bit_generator", None)
        state = generator.state if generator is not None else {}
        if state.get("bit_generator") != "PCG64":
            START.pack_into(self.memory, at, START_UNKNOWN, 0, 0, 0, 0, 0, 0, 0)
            return
        wide = state["state"]
        value, stream = wide["state"], wide["inc"]
        blob = save_ale(self.ales[slot]) if self.ales[slot] is not None else b""
        fits = len(blob) <= self.start_size - START.size
        START.pack_into(self.memory, at, START_DRAWN if fits else START_UNKNOWN, len(blob) if fits else 0,
                        value & LOW_64, value >> 64, stream & LOW_64, stream >> 64, state["has_uint32"],
                        state["uinteger"])
        if fits and blob:
            self.memory[at + START.size:at + START.size + len(blob)] = blob

    def run(self, first, count, repeat):
        """Each action for several frames, up to an episode's end; shows the last frame, and the last but one."""
        for i in range(first, first + count):
            step, action, total = self.steps[i], self.actions[i], 0.0
            for frame in range(1, repeat + 1):
                observation, reward, terminated, truncated, _ = step(action)
                total += float(reward)
                if frame == repeat - 1:
                    self.earlier[i][...] = observation
                if terminated or truncated:
                    break
            self.rows[i][...] = observation
            self.rewards[i] = total
            self.flags[i] = TERMINATED * bool(terminated) + TRUNCATED * bool(truncated) + (frame << FRAMES_AT)
            if self.ales[i] is not None:
                self.lives[i] = self.ales[i].lives()

    def replay(self, slot, seed, length, render):
        """Begins the episode that the slot's start and the seed tell of, and goes through its actions."""
        env = self.ensure(slot, render)
        at = self.start + slot * self.start_size
        kind, size, a, b, c, d, has, half = START.unpack_from(self.memory, at)
        observation, _ = env.reset(seed=seed)
        if kind == START_DRAWN:
            env.unwrapped.np_random.bit_generator.state = {
                "bit_generator": "PCG64", "state": {"state": a | b << 64, "inc": c | d << 64},
                "has_uint32": int(has), "uinteger": int(half)}
            if size and self.ales[slot] is not None:
                blob = bytes(self.memory[at + START.size:at + START.size + size])
                ale = self.ales[slot]
                ale.restoreState(type(ale.cloneState(include_rng=True))(blob))
            observation, _ = env.reset()
        flags, earned = 0, 0.0
        for action in self.memory[self.history:self.history + length]:
            if flags:
                break  # it ended earlier than it did the first time
            observation, reward, terminated, truncated, _ = self.steps[slot](action)
            earned += float(reward)
            flags = TERMINATED * bool(terminated) + TRUNCATED * bool(truncated)
        self.show(slot, observation)
        self.flags[slot] = flags
        self.rewards[slot] = earned

    def render(self, slot):
        """Writes a frame [height, width, 3]; returns width << 16 | height, or 0."""
        frame = self.numpy.ascontiguousarray(self.envs[slot].render(), self.numpy.uint8)
        room = len(self.memory) - self.frame
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.size > room or max(frame.shape) >= 1 << 15:
            return 0
        self.memory[self.frame:self.frame + frame.size] = frame.tobytes()
        return frame.shape[1] << 16 | frame.shape[0]


def serve(memory, maker, first):
    """Answers requests; the first, to describe, has been done. Steps are what counts: they come first, inline."""
    line, header, slots, seen = Line(memory), memory, None, 8 + DESCRIBE
    read = struct.Struct("<2IQQ").unpack_from
    request, reply, parent_sleeps, ordered = line.request, line.reply, line.parent_sleeps, line.ordered
    first_slot, count_slots = line.word(FIRST), line.word(FIRST + 4)
    looks = range(line.LOOKS)
    line.answer(seen)
    while True:
        for _ in looks:
            number = request[0]
            if number != seen:
                break
        else:
            number = line.wait(seen)
        seen = number
        if not ordered:
            line.order()
        if number & COMMANDS == STEP:
            i = first_slot[0]
            end = i + count_slots[0]
            while i < end:
                observation, rewards[i], terminated, truncated, _ = steps[i](actions[i])
                rows[i][...] = observation
                if terminated or truncated:
                    flags[i] = (TERMINATED if terminated else 0) + (TRUNCATED if truncated else 0)
                if lives is not None:
                    lives[i] = slots.ales[i].lives()
                i += 1
            if not ordered:
                line.order()
            reply[0] = number
            if parent_sleeps[0]:
                line.wake()
            continue
        command, result = number & COMMANDS, 0
        begin, count, argument, seed = read(header, FIRST)
        if command == RESET:
            slots.reset(begin, argument if count else None)
        elif command == RUN:
            slots.run(begin, count, argument)
        elif command == REPLAY:
            slots.replay(begin, seed, argument, bool(count))
        elif command == RENDER:
            result = slots.render(begin)
        elif command == LAY_OUT:
            slots = Slots(mmap.mmap(MEMORY, argument), maker, first)
            steps, rows, actions, rewards, flags = slots.steps, slots.rows, slots.actions, slots.rewards, slots.flags
            lives = slots.lives if ale_of(first) else None
        elif command == END:
            return
        line.result[0] = result
        line.answer(number)


def watch_deepq():
    """Ends this process when the pipe on descriptor 0 closes: when deepq is no more."""
    while os.read(0, 1):
        pass
    os._exit(0)


def main():
    memory = mmap.mmap(MEMORY, DESCRIPTION + DESCRIPTION_SIZE)
    threading.Thread(target=watch_deepq, daemon=True).start()
    sys.path.insert(0, os.getcwd())  # gym:my_module:MyEnv-v0 finds my_module.py here
    try:
        maker = Maker(sys.argv[1])
        first = maker.first()
        describe(memory, maker, first)
    except Refused as refused:
        finish(memory, refused.outcome, message=str(refused))
        Line(memory).answer(8 + DESCRIBE)
        return
    serve(memory, maker, first)


main()

"""Records tests/data/pth: files as torch.save writes them, and beside each the arrays that are in it (.npz).

Run with PyTorch 1.13: python make_pth.py. Files without a .npz are to be refused, and NAME.txt holds words of
the sentence that must say why.
"""
import collections
import os
import pickle
import zipfile

import numpy as np
import torch
from torch import nn

torch.manual_seed(0)


def arrays(tensors):
    return {name: t.detach().float().contiguous().numpy() for name, t in tensors.items()}


def save(name, obj, tensors, **options):
    torch.save(obj, name + ".pth", **options)
    np.savez(name + ".npz", **arrays(tensors))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))


def state_dicts():
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    save("state_dict", net.state_dict(), net.state_dict())
    save("sequential", net, net.state_dict())
    save("protocol4", net.state_dict(), net.state_dict(), pickle_protocol=4)
    module = Net()
    save("module", module, module.state_dict())
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    parts = {"model." + name: t for name, t in net.state_dict().items()}
    for i, values in optimizer.state_dict()["state"].items():
        for key, t in values.items():
            parts[f"optimizer.state.{i}.{key}"] = t
    save("checkpoint", {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict(),
                        "losses": [0.5, 1e300, -2**70], "note": "naïve", "done": True, "none": None}, parts)


def tensors():
    base = torch.arange(24.0).reshape(4, 6)
    views = {"whole": base, "transposed": base.t(), "rows": base[1:3], "corner": base[::2, 1::3],
             "number": base[2, 3], "empty": base[:0], "cube": base.reshape(2, 3, 4).permute(2, 0, 1)}
    save("views", views, views)
    special = torch.tensor([0.0, -0.0, 1.5, -65504.0, 6e-8, 1e-5, float("inf"), float("nan")])
    kinds = {"f16": special.half(), "bf16": special.bfloat16(), "f64": special.double(),
             "i64": torch.tensor([-5, 2**40]), "i32": torch.tensor([-5, 7], dtype=torch.int32),
             "i16": torch.tensor([-300], dtype=torch.int16), "i8": torch.tensor([-128], dtype=torch.int8),
             "u8": torch.tensor([255], dtype=torch.uint8), "bool": torch.tensor([True, False])}
    save("types", kinds, kinds)


class Command:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def refused(name, words, obj=None, data=None, **options):
    if data is None:
        torch.save(obj, name + ".pth", **options)
    else:
        with zipfile.ZipFile(name + ".pth", "w") as archive:
            archive.writestr(zipfile.ZipInfo("x/data.pkl"), data)
            archive.writestr(zipfile.ZipInfo("x/data/0"), b"\0" * 16)
            archive.writestr(zipfile.ZipInfo("x/version"), "3\n")
    with open(name + ".txt", "w") as out:
        out.write(words + "\n")


def tensor_pickle(count, offset, shape, strides, storage="FloatStorage"):
    """A pickle of {'w': one tensor}, with numbers that torch would not write."""
    def integer(n):
        return pickle.LONG1 + bytes([8]) + n.to_bytes(8, "little", signed=True)

    def text(t):
        return pickle.BINUNICODE + len(t).to_bytes(4, "little") + t.encode()

    def group(numbers):
        return pickle.MARK + b"".join(integer(n) for n in numbers) + pickle.TUPLE

    return (b"\x80\x02}" + text("w") + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") +
            b"ctorch\n" + storage.encode() + b"\n" + text("0") + text("cpu") + integer(count) + b"tQ" +
            integer(offset) + group(shape) + group(strides) + b"\x89ccollections\nOrderedDict\n)RtRs.")


def refusals():
    weights = nn.Linear(2, 2).state_dict()
    refused("bad_system", "posix.system", collections.OrderedDict(weights, x=Command(os.system, "touch pwned")))
    refused("bad_eval", "eval", {"w": Command(eval, "1+1")})
    refused("bad_call", "call torch.nn.modules.linear.Linear", {"w": Command(nn.Linear, 3, 4)})
    refused("bad_none", "no tensor", {"epoch": 3})
    refused("legacy", "before version 1.6", weights, _use_new_zipfile_serialization=False)
    refused("bad_storage", "has 16 bytes", data=tensor_pickle(5, 0, [5], [1]))
    refused("bad_offset", "reaches beyond", data=tensor_pickle(4, 3, [2], [1]))
    refused("bad_negative", "no shape", data=tensor_pickle(4, -1, [2], [1]))
    refused("bad_shape", "broken shape", data=tensor_pickle(4, 0, [-2], [1]))
    refused("bad_expanded", "reaches beyond", data=tensor_pickle(4, 0, [2**31, 2**31], [0, 0]))
    refused("bad_overflow", "reaches beyond", data=tensor_pickle(4, 0, [2**62, 4, 0], [2**62, 4, 1]))
    refused("bad_rank", "at most 8", data=tensor_pickle(4, 0, [1] * 9, [1] * 9))
    refused("bad_type", "ComplexFloatStorage", data=tensor_pickle(1, 0, [1], [1], "ComplexFloatStorage"))
    refused("bad_end", "no end", data=b"\x80\x02}")
    refused("bad_opcode", "opcode 0x69", data=b"\x80\x02(ios\nsystem\n.")
    refused("bad_stack", "has not made", data=b"\x80\x02s.")
    refused("bad_cycle", "too deeply", data=b"\x80\x02]q\0h\0a.")
    refused("bad_text", "middle of a value", data=b"\x80\x02X\xff\xff\xff\xffw.")
    refused("bad_memo", "remembers more", data=b"\x80\x02}r\xff\xff\xff\xff.")


state_dicts()
tensors()
refusals()

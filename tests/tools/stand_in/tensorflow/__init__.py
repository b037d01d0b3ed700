"""A stand-in for TensorFlow with the two functions that Aim's converter of TensorBoard files calls, so that the tests
need not install two gigabytes for them. Records are read by TensorBoard's own reader, which checks their sums, and
pictures by Pillow; as with tf.image.decode_image, an animation becomes [frames, height, width, 3]."""
import io
import sys
import types

import numpy
import PIL.Image
import PIL.ImageSequence
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New


def summary_iterator(path):
    reader = PyRecordReader_New(path)
    while True:
        try:
            reader.GetNext()
        except errors.OutOfRangeError:
            return
        yield Event.FromString(reader.record())


def decode_image(data):
    picture = PIL.Image.open(io.BytesIO(data))
    frames = [numpy.asarray(frame.convert("RGB")) for frame in PIL.ImageSequence.Iterator(picture)]
    pixels = numpy.stack(frames) if picture.format == "GIF" else frames[0]
    return types.SimpleNamespace(numpy=lambda: pixels)


image = types.SimpleNamespace(decode_image=decode_image)
for name in ("python", "python.summary", "python.summary.summary_iterator"):
    module = sys.modules[f"{__name__}.{name}"] = types.ModuleType(f"{__name__}.{name}")
    module.summary_iterator = summary_iterator

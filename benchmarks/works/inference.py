"""Edge profile: ONNX Runtime on a small network of convolutions, with its own threads."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(1)


def network():
    """A few convolutions with their activations, made on the spot."""
    nodes, weights, before, channels = [], [], "x", 3
    for n, after in enumerate((32, 64, 64)):
        kernel = RANDOM.standard_normal((after, channels, 3, 3), dtype=np.float32) / 10
        weights.append(numpy_helper.from_array(kernel, f"w{n}"))
        nodes.append(helper.make_node("Conv", [before, f"w{n}"], [f"c{n}"], strides=[2, 2]))
        nodes.append(helper.make_node("Relu", [f"c{n}"], [f"r{n}"]))
        before, channels = f"r{n}", after
    nodes.append(helper.make_node("GlobalAveragePool", [before], ["y"]))
    into = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 160, 160])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 64, 1, 1])
    graph = helper.make_graph(nodes, "small", [into], [out], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return model.SerializeToString()


SESSION = onnxruntime.InferenceSession(network(), providers=["CPUExecutionProvider"])
PICTURE = RANDOM.random((1, 3, 160, 160), dtype=np.float32)


def work(number):
    return float(SESSION.run(None, {"x": PICTURE + number})[0].mean())


def items(folder):
    return list(range(500))

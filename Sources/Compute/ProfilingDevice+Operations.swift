import Tensors

// MARK: - Products

extension ProfilingDevice {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws {
        let name =
            "linear" + suffix(weight) + suffix(activation)
            + (accumulating ? " accumulating" : "")
        try measure(
            OperationCall(
                name, [x.shape, weight.shape],
                reading: [x, weight, bias, accumulating ? y : nil], writing: [y],
                flops: 2 * x.shape.elementCount * weight.shape[0])
        ) {
            try device.linear(
                x, weight: weight, bias: bias, activation: activation, accumulating: accumulating,
                into: y)
        }
    }

    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        // Two products, each of every query with every key.
        let flops = 4 * query.shape.elementCount * key.shape[1]
        try measure(
            OperationCall(
                "attention" + suffix(query) + (bias == nil ? "" : " biased"),
                [query.shape, key.shape],
                reading: [query, key, value, bias], writing: [out], flops: flops)
        ) {
            try device.attention(
                query: query, key: key, value: value, scale: scale, bias: bias, into: out)
        }
    }

    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) throws {
        let taps = weight.shape.elementCount / max(1, weight.shape[0])
        try measure(
            OperationCall(
                residual == nil ? "convolution" : "convolution onto", [x.shape, weight.shape],
                reading: [x, weight, bias, residual], writing: [y],
                flops: 2 * y.shape.elementCount * taps)
        ) {
            try device.convolution(
                x, weight: weight, bias: bias, geometry: geometry, residual: residual, into: y)
        }
    }

    /// The type of a tensor of 8 bits; nothing for others, whose type is that of activations.
    func suffix(_ tensor: Tensor) -> String {
        tensor.scales == nil ? "" : " \(tensor.dataType)"
    }

    func suffix(_ activation: Activation) -> String {
        activation == .identity ? "" : " \(activation)"
    }
}

// MARK: - Norms

extension ProfilingDevice {
    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) throws {
        try measure(
            OperationCall(
                scale == nil ? "layerNorm" : "layerNorm modulated", [x.shape],
                reading: [x, weight, bias, scale, shift], writing: [y])
        ) {
            try device.layerNorm(
                x, weight: weight, bias: bias, scale: scale, shift: shift, epsilon: epsilon,
                into: y)
        }
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws {
        try measure(
            OperationCall(
                rotation == nil ? "rmsNorm" : "rmsNorm rotated", [x.shape],
                reading: [x, weight, rotation], writing: [y])
        ) {
            try device.rmsNorm(x, weight: weight, epsilon: epsilon, rotation: rotation, into: y)
        }
    }

    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        try measure(OperationCall("rotate", [x.shape], reading: [x, table], writing: [y])) {
            try device.rotate(x, by: table, into: y)
        }
    }

    public func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) throws {
        try measure(
            OperationCall(
                "channelNorm" + suffix(activation), [x.shape], reading: [x, weight], writing: [y])
        ) {
            try device.channelNorm(x, weight: weight, activation: activation, into: y)
        }
    }
}

// MARK: - Elementwise

extension ProfilingDevice {
    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        try measure(
            OperationCall("activate" + suffix(activation), [x.shape], reading: [x], writing: [y])
        ) {
            try device.activate(x, activation, into: y)
        }
    }

    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws {
        try measure(
            OperationCall(
                "multiply" + suffix(activation), [x.shape], reading: [x, factor], writing: [y])
        ) {
            try device.multiply(activating: x, activation, by: factor, into: y)
        }
    }

    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws {
        try measure(
            OperationCall(
                gate == nil ? "add" : "add gated", [x.shape, addend.shape],
                reading: [x, addend, gate, mask], writing: [y])
        ) {
            try device.add(x, addend, gate: gate, mask: mask, alpha: alpha, into: y)
        }
    }

    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws {
        try measure(
            OperationCall("affine", [x.shape], reading: [x, scale, shift], writing: [y])
        ) {
            try device.affine(x, scale: scale, shift: shift, into: y)
        }
    }
}

// MARK: - Movement

extension ProfilingDevice {
    public func copy(_ x: Tensor, into y: Tensor) throws {
        let name = x.dataType == y.dataType ? "copy" : "copy to \(y.dataType)"
        try measure(OperationCall(name, [x.shape], reading: [x], writing: [y])) {
            try device.copy(x, into: y)
        }
    }

    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws {
        try measure(OperationCall("permute", [x.shape, y.shape], reading: [x], writing: [y])) {
            try device.permute(x, axes: axes, into: y)
        }
    }

    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        // Of the table, as much is read as is written.
        try measure(
            OperationCall("gather", [table.shape, y.shape], reading: [y, indices], writing: [y])
        ) {
            try device.gather(table, rows: indices, into: y)
        }
    }

    public func upsample(_ x: Tensor, into y: Tensor) throws {
        try measure(OperationCall("upsample", [x.shape, y.shape], reading: [x], writing: [y])) {
            try device.upsample(x, into: y)
        }
    }

    public func quantizePixels(_ x: Tensor, into y: Tensor) throws {
        try measure(OperationCall("quantizePixels", [x.shape], reading: [x], writing: [y])) {
            try device.quantizePixels(x, into: y)
        }
    }
}

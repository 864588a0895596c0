import Tensors

// What a device without tensors of 8 bits need not say.
extension Device {
    public var matrixType: DataType { activationType }

    public func load(_ numbers: [TensorView], scales: [TensorView]) throws -> Tensor {
        throw UnsupportedOperation(device: name, operation: "weights of \(numbers[0].dataType)")
    }

    public func allocateInput(rows: Int, of weight: Tensor) throws -> Tensor {
        try allocate([rows, weight.shape[1]], activationType)
    }

    public func wantsTiledValues(head: Int) -> Bool { false }
}

/// The operations in the form in which models write them: with defaults, and the result allocated.
extension Device {
    /// A tensor with these elements.
    public func tensor<Element: BitwiseCopyable>(
        _ elements: [Element], _ shape: Shape, _ dataType: DataType
    ) throws -> Tensor {
        precondition(
            elements.count == shape.elementCount && MemoryLayout<Element>.size == dataType.size)
        let tensor = try allocate(shape, dataType)
        try elements.withUnsafeBytes { try write($0, to: tensor) }
        return tensor
    }

    /// A float32 tensor with these elements.
    public func tensor(_ elements: [Float], _ shape: Shape) throws -> Tensor {
        try tensor(elements, shape, .float32)
    }

    /// A tensor of zeros.
    public func zeros(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        let tensor = try allocate(shape, dataType)
        try clear(tensor)
        return tensor
    }

    /// The elements of a float32 or bfloat16 tensor on the host, in row-major order.
    public func floats(_ tensor: Tensor) throws -> [Float] {
        let source: Tensor
        if tensor.dataType == .float32 && tensor.isContiguous {
            source = tensor
        } else {
            source = try allocate(tensor.shape, .float32)
            try copy(tensor, into: source)
        }
        return try [Float](unsafeUninitializedCapacity: tensor.shape.elementCount) {
            buffer, count in
            try read(source, into: UnsafeMutableRawBufferPointer(buffer))
            count = tensor.shape.elementCount
        }
    }

    /// activation(x weightᵀ + bias), [m, n], in the device's activation type unless said.
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor? = nil, activation: Activation = .identity,
        as dataType: DataType? = nil
    ) throws -> Tensor {
        let y = try allocate([x.shape[0], weight.shape[0]], dataType ?? activationType)
        try linear(
            x, weight: weight, bias: bias, activation: activation, accumulating: false, into: y)
        return y
    }

    /// softmax(scale q kᵀ + bias) v, shaped as the query and of its type; where they have scales, with that of the values,
    /// beyond which no mean of values can be.
    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor? = nil
    ) throws -> Tensor {
        let memory = try allocate(query.shape, query.dataType)
        let out = value.scales.map { memory.scaled(byOne: $0) } ?? memory
        try attention(
            query: query, key: key, value: value, scale: scale, bias: bias, into: out)
        return out
    }

    /// The normalised, and optionally weighted and modulated, rows of x, in the activation type.
    public func layerNorm(
        _ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, scale: Tensor? = nil,
        shift: Tensor? = nil, epsilon: Float
    ) throws -> Tensor {
        let y = try allocate(x.shape, activationType)
        try layerNorm(
            x, weight: weight, bias: bias, scale: scale, shift: shift, epsilon: epsilon, into: y)
        return y
    }

    /// The rows of x over their root mean square, in the activation type.
    public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float) throws -> Tensor {
        let y = try allocate(x.shape, activationType)
        try rmsNorm(x, weight: weight, epsilon: epsilon, rotation: nil, into: y)
        return y
    }

    /// Adds alpha * addend * gate * mask to x in place.
    public func accumulate(
        _ addend: Tensor, gate: Tensor? = nil, mask: Tensor? = nil, alpha: Float = 1,
        onto x: Tensor
    ) throws {
        try add(x, addend, gate: gate, mask: mask, alpha: alpha, into: x)
    }

    /// x converted to another type.
    public func cast(_ x: Tensor, to dataType: DataType) throws -> Tensor {
        let y = try allocate(x.shape, dataType)
        try copy(x, into: y)
        return y
    }

    /// x with its axes in another order.
    public func permuted(_ x: Tensor, axes: [Int]) throws -> Tensor {
        let y = try allocate(Shape(axes.map { x.shape[$0] }), x.dataType)
        try permute(x, axes: axes, into: y)
        return y
    }
}

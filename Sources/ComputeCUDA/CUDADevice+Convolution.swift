import Compute
import Tensors

extension CUDADevice {
    /// x is converted to the weight's type where it has another, and filled up with channels of zeros to multiples of 8. Kernels of
    /// a single pixel go by cuBLASLt, others by cuDNN.
    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) throws {
        precondition(x.shape.rank == 4 && weight.shape.rank == 5)
        precondition(y.shape == geometry.outputShape(input: x.shape, weight: weight.shape))
        precondition(x.shape[3] == weight.shape[1] * geometry.groups)
        precondition(residual.map { $0.shape == y.shape } ?? true)
        guard let stored = weight.storage as? ConvolutionWeight,
            stored.channels.groups == geometry.groups
        else { preconditionFailure("\(weight) was not loaded for this convolution") }
        guard x.isFloating && y.isFloating else {
            throw unsupported("a convolution from \(x.dataType) to \(y.dataType)")
        }
        guard y.shape.elementCount > 0 else { return }
        // What follows writes and adds rows of pixels without gaps, of one type.
        let residual = try residual.map { try packed($0, as: y.dataType) }
        let output = y.isPacked ? y : try allocate(y.shape, y.dataType)
        let call = ConvolutionCall(
            weight: stored, taps: Array(weight.shape.dimensions[2...]), bias: bias,
            geometry: geometry, residual: residual, y: output)
        if geometry == ConvolutionGeometry(), call.taps == [1, 1, 1], stored.channels.areWhole {
            try convolvePixels(x, call)
        } else if geometry.groups == 1 {
            try convolve(
                packed(x, as: weight.dataType, channels: stored.channels.paddedInputs), call)
        } else {
            try convolveGroups(x, call)
        }
        if !y.isPacked { try copy(output, into: y) }
    }

    /// A kernel of one pixel: a product of pixels with the weight.
    private func convolvePixels(_ x: Tensor, _ call: ConvolutionCall) throws {
        let (y, weight) = (call.y, call.weight.elements)
        let pixels = y.shape.elementCount / y.shape[3]
        if let residual = call.residual, !residual.isSame(as: y) { try copy(residual, into: y) }
        try linear(
            packed(x, as: weight.dataType).reshaped([pixels, x.shape[3]]),
            weight: weight.reshaped([weight.shape[0], weight.shape[2]]), bias: call.bias,
            activation: .identity, accumulating: call.residual != nil,
            into: y.reshaped([pixels, y.shape[3]]))
    }

    /// Groups together where cuDNN offers that; else one after another, each from a copy of its channels.
    private func convolveGroups(_ x: Tensor, _ call: ConvolutionCall) throws {
        let (channels, type) = (call.weight.channels, call.weight.elements.dataType)
        let x = try packed(x, as: type)
        if channels.areWhole, try convolveByCuDNN(x, call.weight.elements, call) { return }
        for group in 0..<channels.groups {
            let inputs = group * channels.inputs..<(group + 1) * channels.inputs
            let outputs = group * channels.outputs..<(group + 1) * channels.outputs
            let y = try allocate(
                Shape(call.y.shape.dimensions.dropLast() + [channels.outputs]), call.y.dataType)
            var part = call
            part.groupWeight = call.weight.group(group)
            part.geometry.groups = 1
            part.bias = call.bias?.rows(outputs)
            part.residual = try call.residual.map {
                try packed($0.columns(outputs), as: y.dataType)
            }
            part.y = y
            try convolve(
                packed(x.columns(inputs), as: type, channels: channels.paddedInputs), part)
            try copy(y, into: call.y.columns(outputs))
        }
    }

    /// One group of whole channels, by cuDNN, in as many parts as it needs; throws if it offers nothing.
    private func convolve(_ x: Tensor, _ call: ConvolutionCall) throws {
        let weight = call.groupWeight ?? call.weight.elements
        let frames = FrameParts(
            x: x.shape, y: call.y.shape, taps: call.taps[0], geometry: call.geometry)
        for part in frames.parts {
            let x = x.rows(part.input)
            guard try convolveByCuDNN(x, weight, call.frames(part.output)) else {
                throw unsupported(
                    "the convolution of \(x) by \(weight) with \(call.geometry) by cuDNN")
            }
        }
    }

    /// Whether cuDNN offers the convolution, and computed it; bias and residual are added within if it offers that, else
    /// behind it.
    private func convolveByCuDNN(
        _ x: Tensor, _ weight: Tensor, _ call: ConvolutionCall
    ) throws -> Bool {
        try context.activate()
        let problem = ConvolutionProblem(
            pictures: x.shape, kernel: call.taps, channels: x.shape[3], outputs: weight.shape[0],
            geometry: call.geometry, type: weight.dataType)
        let isWhole = weight.shape[0] == call.y.shape[3] && call.y.dataType == weight.dataType
        let hasAddends = call.bias != nil || call.residual != nil
        // cuDNN's fast engines for groups add nothing.
        if isWhole && (call.geometry.groups == 1 || !hasAddends) {
            if try convolveFused(x, weight, call, problem) { return true }
            guard hasAddends else { return false }
        }
        guard let plan = try plan(problem) else { return false }
        let sums = try allocate(
            Shape(call.y.shape.dimensions.dropLast() + [weight.shape[0]]), weight.dataType)
        try plan.run(
            x: x, weight: weight, bias: nil, residual: nil, y: sums, on: self)
        noteLibraryCall("cuDNN.convolution")
        try finish(sums, call)
        return true
    }

    /// The convolution straight into y, its addends within; false if cuDNN does not offer that.
    private func convolveFused(
        _ x: Tensor, _ weight: Tensor, _ call: ConvolutionCall, _ problem: ConvolutionProblem
    ) throws -> Bool {
        var problem = problem
        problem.hasBias = call.bias != nil
        problem.hasResidual = call.residual != nil
        guard let plan = try plan(problem) else { return false }
        let bias = try call.bias.map { try libraries.bias($0, as: weight.dataType, on: self) }
        try plan.run(
            x: x, weight: weight, bias: bias, residual: call.residual, y: call.y, on: self)
        noteLibraryCall(
            "cuDNN.convolution" + (problem.hasBias || problem.hasResidual ? "+sum" : ""))
        return true
    }

    private func plan(_ problem: ConvolutionProblem) throws -> ConvolutionPlan? {
        let library = try libraries.cuDNN(for: self)
        if let known = library.convolutions[problem] { return known }
        let plan = try ConvolutionPlan(problem, library: library)
        library.convolutions[problem] = .some(plan)
        return plan
    }

    /// y = sums without what was filled up, + bias + residual.
    private func finish(_ sums: Tensor, _ call: ConvolutionCall) throws {
        let (y, channels) = (call.y, call.y.shape[3])
        let rows = y.shape.elementCount / channels
        let (bias, residual) = (call.bias?.address ?? 0, call.residual?.address ?? 0)
        let isWide =
            channels % ConvolutionChannels.granule == 0
            && (bias | residual | y.address) % UInt64(OperationGraph.alignment) == 0
        let perThread = isWide ? ConvolutionChannels.granule : 1
        let threads = (rows * channels + perThread - 1) / perThread
        let types = "\(sums.dataType.kernelSuffix)_\(y.dataType.kernelSuffix)"
        try launch(
            "ConvolutionEpilogue.finish\(isWide ? "Eight" : "")_\(types)",
            grid: ((threads + 255) / 256, 1, 1), block: 256, .address(sums.address),
            .int(sums.shape[3]), .address(bias), .address(residual),
            .address(y.address), .int(rows), .int(channels))
    }

    /// x itself, or a copy without gaps, of another type, or with zeros as further channels.
    private func packed(
        _ x: Tensor, as dataType: DataType, channels: Int? = nil
    ) throws -> Tensor {
        let own = x.shape[3]
        let channels = channels ?? own
        if x.isPacked && x.dataType == dataType && own == channels { return x }
        let shape = Shape(x.shape.dimensions.dropLast() + [channels])
        guard channels > own else {
            let y = try allocate(shape, dataType)
            try copy(x, into: y)
            return y
        }
        let y = try zeros(shape, dataType)
        try copy(x, into: y.columns(0..<own))
        return y
    }
}

/// The operands of one convolution other than its input.
private struct ConvolutionCall {
    let weight: ConvolutionWeight
    /// The part of the weight that belongs to the only group, where there are others elsewhere.
    var groupWeight: Tensor?
    /// Extents of the kernel: frames, height and width.
    let taps: [Int]
    /// float32 [outputs]
    var bias: Tensor?
    var geometry: ConvolutionGeometry
    /// Like y.
    var residual: Tensor?
    /// [frames, height, width, outputs], contiguous.
    var y: Tensor

    init(
        weight: ConvolutionWeight, taps: [Int], bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, y: Tensor
    ) {
        self.weight = weight
        self.taps = taps
        self.bias = bias
        self.geometry = geometry
        self.residual = residual
        self.y = y
    }

    /// What gives some frames of the output.
    func frames(_ range: Range<Int>) -> ConvolutionCall {
        var part = self
        part.residual = residual?.rows(range)
        part.y = y.rows(range)
        return part
    }
}

extension Tensor {
    /// Whether the elements have no gaps and begin where cuDNN can read them.
    fileprivate var isPacked: Bool {
        isContiguous && address % UInt64(OperationGraph.alignment) == 0
    }

    /// Whether both are the same elements.
    fileprivate func isSame(as other: Tensor) -> Bool {
        storage === other.storage && offset == other.offset && shape == other.shape
            && strides == other.strides && dataType == other.dataType
    }
}

extension DataType {
    /// What the names of kernels for elements of this type end with.
    fileprivate var kernelSuffix: String { self == .bfloat16 ? "bf16" : "f32" }
}

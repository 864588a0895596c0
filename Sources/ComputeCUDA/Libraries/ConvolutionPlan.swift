import CNVIDIA
import Compute
import Tensors

/// A convolution by cuDNN, with bias and residual added before sums are rounded if the problem has them.
final class ConvolutionPlan {
    private let plan: ExecutionPlan
    private let x: OperationGraph.Node
    private let weight: OperationGraph.Node
    private let y: OperationGraph.Node
    private let bias: OperationGraph.Node?
    private let residual: OperationGraph.Node?

    /// The plan for a problem, which is the chosen engine's or else the one that cuDNN thinks best; nil if cuDNN offers none.
    convenience init?(_ problem: ConvolutionProblem, library: CUDNN) throws {
        let choice = library.choices[problem.kind]
        try self.init(problem, library: library) { graph, manner in
            try library.store.plan(for: problem, choice: choice, of: library) {
                try graph.plan(manner, choice: choice)
            }
        }
    }

    /// The plan that `choose` makes for a problem; nil if it makes none or cuDNN refuses the operation.
    init?(
        _ problem: ConvolutionProblem, library: CUDNN,
        choose: (OperationGraph, OperationGraph.Manner) throws -> ExecutionPlan?
    ) throws {
        let graph = OperationGraph(library)
        func picture(
            _ extents: [Int], _ channels: Int, batch: Int, _ type: DataType,
            _ place: OperationGraph.Place = .device
        ) throws -> OperationGraph.Node {
            let layout = ConvolutionProblem.channelsLast(
                batch: batch, extents: extents, channels: channels)
            return try graph.tensor(layout.extents, strides: layout.strides, type, place)
        }
        let (batch, outputs, type) = (problem.batch, problem.outputs, problem.type)
        func sums() throws -> OperationGraph.Node {
            try picture(problem.output, outputs, batch: batch, .float32, .virtual)
        }
        x = try graph.tensor(
            [batch, problem.channels] + problem.input, strides: problem.inputStrides, type)
        weight = try picture(
            problem.kernel, problem.channels / problem.groups, batch: outputs, type)
        y = try picture(problem.output, outputs, batch: batch, type)
        residual =
            problem.hasResidual
            ? try picture(problem.output, outputs, batch: batch, type) : nil
        let ones = problem.input.map { _ in 1 }
        bias = problem.hasBias ? try picture(ones, outputs, batch: 1, type) : nil

        // The order in which cuDNN's prepared kernels add: the residual, then the bias.
        let addends = [residual, bias].compactMap(\.self)
        var sum = try addends.isEmpty ? y : sums()
        let isBuilt = try Self.convolve(x, weight, into: sum, problem, graph, library)
        guard isBuilt else { return nil }
        for (index, addend) in addends.enumerated() {
            let next = try index == addends.count - 1 ? y : sums()
            try graph.pointwise(CUDNN_POINTWISE_ADD, sum, addend, into: next)
            sum = next
        }
        // Where cuDNN is fast only without the sums, they are left to a kernel behind it.
        let manner = OperationGraph.Manner(type: type, acceptsSlow: addends.isEmpty)
        guard let plan = try choose(graph, manner) else { return nil }
        self.plan = plan
    }

    /// Adds the convolution to the graph; false if cuDNN refuses it.
    private static func convolve(
        _ x: OperationGraph.Node, _ weight: OperationGraph.Node, into y: OperationGraph.Node,
        _ problem: ConvolutionProblem, _ graph: OperationGraph, _ library: CUDNN
    ) throws -> Bool {
        let convolution = try Descriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, of: library) {
            try $0.set(
                CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, choice: CUDNN_DATA_FLOAT)
            try $0.set(
                CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
                choice: CUDNN_CROSS_CORRELATION)
            try $0.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, [problem.input.count])
            try $0.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, problem.input.map { _ in 1 })
            try $0.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, problem.stride)
            try $0.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, problem.leading)
            try $0.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, problem.trailing)
        }
        do {
            try graph.add(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) {
                try $0.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, [convolution])
                try $0.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, [x.descriptor])
                try $0.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, [weight.descriptor])
                try $0.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, [y.descriptor])
                try $0.set(
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, [Float(1)])
                try $0.set(
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, [Float(0)])
            }
        } catch is CUDAError {
            return false
        }
        return true
    }

    /// Puts the convolution into the stream. Bias and residual are given if the problem has them.
    func run(
        x: Tensor, weight: Tensor, bias: Tensor?, residual: Tensor?, y: Tensor,
        on device: CUDADevice
    ) throws {
        var operands: [ExecutionPlan.Operand] = [
            .init(node: self.x, tensor: x), .init(node: self.weight, tensor: weight),
            .init(node: self.y, tensor: y),
        ]
        if let node = self.bias, let bias { operands.append(.init(node: node, tensor: bias)) }
        if let node = self.residual, let residual {
            operands.append(.init(node: node, tensor: residual))
        }
        try plan.run(operands, on: device)
    }
}

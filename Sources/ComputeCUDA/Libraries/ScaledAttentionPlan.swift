import CNVIDIA
import Compute
import Tensors

/// softmax(scale q kᵀ) v by cuDNN, in float8_e4m3 with one scale for each of q, k, v and the result; probabilities are
/// float8_e4m3 too, by a scale of their own.
///
/// cuDNN knows it as a graph of single operations, in this order and no other. It wants the largest probability and the
/// largest result as well, for programs that choose their next scales by them.
final class ScaledAttentionPlan {
    private let plan: ExecutionPlan
    private let nodes: Nodes

    /// The tensors that have addresses.
    private struct Nodes {
        let query, key, value, out: OperationGraph.Node
        /// On the host.
        let scale: OperationGraph.Node
        /// What numbers are multiplied with to become elements, and elements to become numbers.
        let queryScale, keyScale, valueScale, weightScale: OperationGraph.Node
        let toWeight, toOut: OperationGraph.Node
        let largestWeight, largestOut: OperationGraph.Node
    }

    /// The operands of a call.
    struct Operands {
        let query, key, value, out: Tensor
        let queryScale, keyScale, valueScale: Tensor
        /// The reciprocal of the result's scale.
        let toOut: Tensor
        /// Probabilities times the first are numbers; its reciprocal lies 16 bytes behind it.
        let factors: Tensor
        /// Room for two floats, 16 bytes apart.
        let room: Tensor
    }

    /// A probability of 1 as a number: the largest.
    static let weightFactor = Float8E4M3.greatestFiniteMagnitude

    /// The plan that cuDNN thinks best; nil if it offers none.
    init?(_ problem: AttentionProblem, library: CUDNN) throws {
        let graph = OperationGraph(library)
        guard let nodes = try? Self.build(graph, problem) else { return nil }
        self.nodes = nodes
        let manner = OperationGraph.Manner(type: .float8E4M3, acceptsSlow: false)
        let choice = library.choices[problem.kind]
        guard
            let plan = try library.store.plan(
                for: problem, choice: choice, of: library,
                make: { try graph.plan(manner, choice: choice) })
        else { return nil }
        self.plan = plan
    }

    private static func build(
        _ graph: OperationGraph, _ problem: AttentionProblem
    ) throws -> Nodes {
        let (batch, heads, head) = (problem.batch, problem.heads, problem.head)
        let (queries, keys) = (problem.queries, problem.keys)
        func tensor(_ tokens: Int, _ strides: [Int]) throws -> OperationGraph.Node {
            try graph.tensor(
                [batch, heads, tokens, head],
                strides: [strides[0], strides[2], strides[1], strides[3]], .float8E4M3)
        }
        func number(_ place: OperationGraph.Place = .device) throws -> OperationGraph.Node {
            try graph.tensor([1, 1, 1, 1], strides: [1, 1, 1, 1], .float32, place)
        }
        /// Passed on: [batch, heads, queries, columns].
        func passed(
            _ columns: Int, _ dataType: DataType = .float32
        ) throws -> OperationGraph.Node {
            try graph.tensor(
                [batch, heads, queries, columns],
                strides: [heads * queries * columns, queries * columns, columns, 1], dataType,
                .virtual)
        }
        func multiplied(
            _ x: OperationGraph.Node, by factor: OperationGraph.Node, _ columns: Int,
            _ dataType: DataType = .float32
        ) throws -> OperationGraph.Node {
            let y = try passed(columns, dataType)
            try graph.pointwise(CUDNN_POINTWISE_MUL, x, factor, into: y)
            return y
        }
        let key = problem.keyStrides
        let nodes = Nodes(
            query: try tensor(queries, problem.queryStrides),
            // kᵀ: channels in front of tokens.
            key: try graph.tensor(
                [batch, heads, head, keys], strides: [key[0], key[2], key[3], key[1]],
                .float8E4M3),
            value: try tensor(keys, problem.valueStrides),
            out: try tensor(queries, problem.outStrides), scale: try number(.host),
            queryScale: try number(), keyScale: try number(), valueScale: try number(),
            weightScale: try number(), toWeight: try number(), toOut: try number(),
            largestWeight: try number(), largestOut: try number())

        var scores = try passed(keys)
        try graph.multiply(nodes.query, nodes.key, into: scores)
        for factor in [nodes.scale, nodes.queryScale, nodes.keyScale] {
            scores = try multiplied(scores, by: factor, keys)
        }
        let weights = try softmax(scores, of: graph, passed: passed, keys: keys)
        try graph.reduce(CUDNN_REDUCE_TENSOR_AMAX, weights, into: nodes.largestWeight)
        let rounded = try multiplied(weights, by: nodes.toWeight, keys, .float8E4M3)
        var sums = try passed(head)
        try graph.multiply(rounded, nodes.value, into: sums)
        for factor in [nodes.weightScale, nodes.valueScale] {
            sums = try multiplied(sums, by: factor, head)
        }
        try graph.pointwise(CUDNN_POINTWISE_MUL, sums, nodes.toOut, into: nodes.out)
        try graph.reduce(CUDNN_REDUCE_TENSOR_AMAX, sums, into: nodes.largestOut)
        return nodes
    }

    /// exp(x - max) over its sum.
    private static func softmax(
        _ scores: OperationGraph.Node, of graph: OperationGraph,
        passed: (Int, DataType) throws -> OperationGraph.Node, keys: Int
    ) throws -> OperationGraph.Node {
        let largest = try passed(1, .float32)
        try graph.reduce(CUDNN_REDUCE_TENSOR_MAX, scores, into: largest)
        let differences = try passed(keys, .float32)
        try graph.pointwise(CUDNN_POINTWISE_SUB, scores, largest, into: differences)
        let powers = try passed(keys, .float32)
        try graph.pointwise(CUDNN_POINTWISE_EXP, differences, nil, into: powers)
        let sum = try passed(1, .float32)
        try graph.reduce(CUDNN_REDUCE_TENSOR_ADD, powers, into: sum)
        // What a backward pass would want is part of the graph that cuDNN knows; nothing is stored of it.
        let logarithm = try passed(1, .float32)
        try graph.pointwise(CUDNN_POINTWISE_LOG, sum, nil, into: logarithm)
        try graph.pointwise(
            CUDNN_POINTWISE_ADD, largest, logarithm, into: passed(1, .float32))
        let weights = try passed(keys, .float32)
        try graph.pointwise(CUDNN_POINTWISE_DIV, powers, sum, into: weights)
        return weights
    }

    /// Puts the attention into the stream.
    func run(_ operands: Operands, scale: Float, on device: CUDADevice) throws {
        let second = 4..<8
        try withUnsafeBytes(of: scale) { scale in
            try plan.run(
                [
                    .init(node: nodes.query, tensor: operands.query),
                    .init(node: nodes.key, tensor: operands.key),
                    .init(node: nodes.value, tensor: operands.value),
                    .init(node: nodes.out, tensor: operands.out),
                    .init(node: nodes.scale, number: scale),
                    .init(node: nodes.queryScale, tensor: operands.queryScale),
                    .init(node: nodes.keyScale, tensor: operands.keyScale),
                    .init(node: nodes.valueScale, tensor: operands.valueScale),
                    .init(node: nodes.weightScale, tensor: operands.factors.rows(second)),
                    .init(node: nodes.toWeight, tensor: operands.factors),
                    .init(node: nodes.toOut, tensor: operands.toOut),
                    .init(node: nodes.largestWeight, tensor: operands.room),
                    .init(node: nodes.largestOut, tensor: operands.room.rows(second)),
                ], on: device)
        }
    }
}

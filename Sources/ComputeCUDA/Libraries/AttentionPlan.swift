import CNVIDIA
import Compute
import Tensors

/// Everything about an attention that cuDNN's plan depends on, for tensors [batch, tokens, heads, head].
struct AttentionProblem: Hashable {
    /// batch, queries, keys, heads and channels of a head.
    let batch: Int
    let queries: Int
    let keys: Int
    let heads: Int
    let head: Int
    /// Elements from one index of [batch, tokens, heads, head] to the next.
    let queryStrides: [Int]
    let keyStrides: [Int]
    let valueStrides: [Int]
    let outStrides: [Int]

    /// The problem of these tensors.
    init(query: Tensor, key: Tensor, value: Tensor, out: Tensor) {
        batch = query.shape[0]
        queries = query.shape[1]
        keys = key.shape[1]
        heads = query.shape[2]
        head = query.shape[3]
        queryStrides = query.strides
        keyStrides = key.strides
        valueStrides = value.strides
        outStrides = out.strides
    }

    /// What a choice of engine is good for: the head and whether there are many keys.
    package var kind: String {
        "attention \(head) to \(keys >= Self.manyKeys ? "many" : "few")"
    }

    /// Keys from which on an attention's time is that of its products.
    private static let manyKeys = 2048
    /// The widest heads that cuDNN offers on every card.
    static let widestHead = 128
    /// Elements of bfloat16 in an access of 16 bytes, of which all rows must begin at multiples.
    static let granule = 8

    /// Whether cuDNN can read tensors laid out like that, if they begin at multiples of 16 bytes.
    var isOffered: Bool {
        let strides = [queryStrides, keyStrides, valueStrides, outStrides]
        return head <= Self.widestHead && head % Self.granule == 0
            && strides.allSatisfy { $0.dropLast().allSatisfy { $0 % Self.granule == 0 } }
    }
}

/// softmax(scale q kᵀ) v by cuDNN, in bfloat16, without storing the products of queries and keys.
final class AttentionPlan {
    private let plan: ExecutionPlan
    private let query: OperationGraph.Node
    private let key: OperationGraph.Node
    private let value: OperationGraph.Node
    private let scale: OperationGraph.Node
    private let out: OperationGraph.Node

    /// The plan for a problem, which is the chosen engine's or else the one that cuDNN thinks best; nil if cuDNN offers none.
    convenience init?(_ problem: AttentionProblem, library: CUDNN) throws {
        let choice = library.choices[problem.kind]
        try self.init(problem, library: library) { graph, manner in
            try library.store.plan(for: problem, choice: choice, of: library) {
                try graph.plan(manner, choice: choice)
            }
        }
    }

    /// The plan that `choose` makes for a problem; nil if it makes none or cuDNN does not know the operation.
    init?(
        _ problem: AttentionProblem, library: CUDNN,
        choose: (OperationGraph, OperationGraph.Manner) throws -> ExecutionPlan?
    ) throws {
        let graph = OperationGraph(library)
        /// Heads in front of tokens, as cuDNN counts them.
        func tensor(_ tokens: Int, _ strides: [Int]) throws -> OperationGraph.Node {
            try graph.tensor(
                [problem.batch, problem.heads, tokens, problem.head],
                strides: [strides[0], strides[2], strides[1], strides[3]], .bfloat16)
        }
        query = try tensor(problem.queries, problem.queryStrides)
        key = try tensor(problem.keys, problem.keyStrides)
        value = try tensor(problem.keys, problem.valueStrides)
        out = try tensor(problem.queries, problem.outStrides)
        scale = try graph.tensor([1, 1, 1, 1], strides: [1, 1, 1, 1], .float32, .host)
        guard library.version >= Self.firstVersion else { return nil }
        let (query, key, value, scale, out) = (query, key, value, scale, out)
        do {
            try graph.add(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR) {
                try $0.set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, [query.descriptor])
                try $0.set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, [key.descriptor])
                try $0.set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, [value.descriptor])
                try $0.set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, [out.descriptor])
                try $0.set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, [scale.descriptor])
            }
        } catch is CUDAError {
            return nil
        }
        let found = try choose(graph, .init(type: .bfloat16, acceptsSlow: true))
        guard let plan = found else { return nil }
        self.plan = plan
    }

    /// The first version in which attention is one operation.
    static let firstVersion = 91301

    /// Puts the attention into the stream.
    func run(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, into out: Tensor,
        on device: CUDADevice
    ) throws {
        try withUnsafeBytes(of: scale) { scale in
            try plan.run(
                [
                    .init(node: self.query, tensor: query),
                    .init(node: self.key, tensor: key),
                    .init(node: self.value, tensor: value),
                    .init(node: self.scale, number: scale),
                    .init(node: self.out, tensor: out),
                ], on: device)
        }
    }
}

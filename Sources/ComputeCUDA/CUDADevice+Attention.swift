import Compute
import Tensors

extension CUDADevice {
    /// Without a bias and in bfloat16 by the kernel of this room where it is made for the card and the shape, or by cuDNN where it
    /// offers the shape; else by products with a softmax between them. `kernelsUsed` says which.
    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        precondition(query.shape.rank == 4 && query.shape == out.shape)
        precondition(query.isFloating || query.scales != nil)
        precondition(key.shape == value.shape && key.shape[0] == query.shape[0])
        precondition(key.shape[2] == query.shape[2] && key.shape[3] == query.shape[3])
        guard [key, value, out].allSatisfy({ $0.dataType == query.dataType }) else {
            throw unsupported("attention of tensors of different types")
        }
        if let bias {
            precondition(bias.shape == [query.shape[2], query.shape[1], key.shape[1]])
            guard bias.dataType == .float32 else {
                throw unsupported("attention with a bias in \(bias.dataType)")
            }
        }
        guard out.shape.elementCount > 0 else { return }
        guard query.scales == nil else {
            return try attendScaled(
                query: query, key: key, value: value, scale: scale, bias: bias, into: out)
        }
        if query.dataType == .bfloat16, bias == nil,
            try attendByKernel(query: query, key: key, value: value, scale: scale, into: out)
                || attendByCuDNN(query: query, key: key, value: value, scale: scale, into: out)
        {
            return
        }
        try attendByProducts(
            query: query, key: key, value: value, scale: scale, bias: bias, into: out)
    }

    /// Whether cuDNN is there, offers the shape, and computed it.
    private func attendByCuDNN(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, into out: Tensor
    ) throws -> Bool {
        let problem = AttentionProblem(query: query, key: key, value: value, out: out)
        let areAligned = [query, key, value, out].allSatisfy {
            $0.address % UInt64(OperationGraph.alignment) == 0
        }
        guard problem.isOffered, areAligned, let library = try? libraries.cuDNN(for: self) else {
            return false
        }
        try context.activate()
        let plan: AttentionPlan?
        if let known = library.attention[problem] {
            plan = known
        } else {
            plan = try AttentionPlan(problem, library: library)
            library.attention[problem] = .some(plan)
        }
        guard let plan else { return false }
        try plan.run(
            query: query, key: key, value: value, scale: scale, into: out, on: self)
        noteLibraryCall("cuDNN.attention")
        return true
    }
}

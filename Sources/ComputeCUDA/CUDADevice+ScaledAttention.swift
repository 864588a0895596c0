import Compute
import Tensors

// Attention in float8_e4m3, one scale for each operand.
extension CUDADevice {
    /// By the kernel of this room where it is made for the card and the shape; else in the activations' type, from copies of the
    /// operands. cuDNN has an attention in 8 bits, too, but a run that was stopped could not go on from it: what came out
    /// differed in another process (9.14, on Hopper). It is there to be compared with.
    func attendScaled(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        let areScaled = [query, key, value, out].allSatisfy {
            $0.dataType == .float8E4M3 && $0.scales != nil && !$0.hasScaledRows
        }
        guard areScaled, bias == nil else {
            throw unsupported("attention of \(query.dataType) with a bias or scales for rows")
        }
        if try attendByKernel(query: query, key: key, value: value, scale: scale, into: out) {
            return
        }
        if !tuning.attendsItself,
            try attendByCuDNN8(query: query, key: key, value: value, scale: scale, into: out)
        {
            return
        }
        let wide = try allocate(out.shape, activationType)
        try attention(
            query: widened(query), key: widened(key), value: widened(value), scale: scale,
            bias: nil, into: wide)
        try copy(wide, into: out)
    }

    /// Whether cuDNN is there, offers the shape, and computed it.
    private func attendByCuDNN8(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, into out: Tensor
    ) throws -> Bool {
        let problem = AttentionProblem(query: query, key: key, value: value, out: out)
        let areAligned = [query, key, value, out].allSatisfy {
            $0.address % UInt64(OperationGraph.alignment) == 0
        }
        guard problem.isOffered, areAligned, let library = try? libraries.cuDNN(for: self),
            let plan = try plan(problem, of: library), let queryScale = query.scales,
            let keyScale = key.scales, let valueScale = value.scales, let outScale = out.scales
        else { return false }
        let factors = try attentionFactors()
        let toOut = try spread(outScale, count: 1, isInverted: true)
        let room = try allocate([8], .float32)
        try plan.run(
            .init(
                query: query, key: key, value: value, out: out, queryScale: queryScale,
                keyScale: keyScale, valueScale: valueScale, toOut: toOut, factors: factors,
                room: room), scale: scale, on: self)
        noteLibraryCall("cuDNN.attention.float8_e4m3")
        return true
    }

    private func plan(
        _ problem: AttentionProblem, of library: CUDNN
    ) throws -> ScaledAttentionPlan? {
        if let known = library.scaledAttention[problem] { return known }
        try context.activate()
        let plan = try ScaledAttentionPlan(problem, library: library)
        library.scaledAttention[problem] = .some(plan)
        return plan
    }

    /// What probabilities are multiplied with, and 16 bytes behind it its reciprocal.
    private func attentionFactors() throws -> Tensor {
        if let factors = libraries.attentionFactors { return factors }
        let factor = ScaledAttentionPlan.weightFactor
        let factors = try holding(.long) {
            try tensor([factor, 0, 0, 0, 1 / factor, 0, 0, 0], [8])
        }
        libraries.attentionFactors = factors
        return factors
    }
}

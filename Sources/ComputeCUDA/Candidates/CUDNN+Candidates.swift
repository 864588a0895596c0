import Compute
import Tensors

extension CUDNN {
    /// Attention and convolutions computed so far, and convolutions that might take their place.
    func candidateProblems(on device: CUDADevice) throws -> [CandidateProblem] {
        let used = convolutions.filter { $0.value != nil }.keys
        let others = Set(used.flatMap(\.alternatives)).subtracting(used)
        return attention.filter { $0.value != nil }.map { problem($0.key, on: device) }
            + used.map { problem($0, isUsed: true, on: device) }
            + others.map { problem($0, isUsed: false, on: device) }
    }

    // MARK: - Attention

    private func problem(
        _ attention: AttentionProblem, on device: CUDADevice
    ) -> CandidateProblem {
        let products = 2 * 2 * attention.queries * attention.keys * attention.head
        func bytes(_ tokens: Int, _ strides: [Int]) -> Int {
            let extents = [attention.batch, tokens, attention.heads, attention.head]
            let last = zip(extents, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
            return (last + 1) * DataType.bfloat16.size
        }
        let title =
            "\(attention.kind): \(attention.batch) x \(attention.heads) x \(attention.queries)"
            + " x \(attention.keys)"
        return CandidateProblem(
            title: title, key: choices.key(attention.kind),
            flops: Double(attention.batch * attention.heads) * Double(products),
            inputs: [
                bytes(attention.queries, attention.queryStrides),
                bytes(attention.keys, attention.keyStrides),
                bytes(attention.keys, attention.valueStrides),
            ],
            output: bytes(attention.queries, attention.outStrides), choice: choices[attention.kind]
        ) { [self] in try candidates(attention, on: device) }
    }

    private func candidates(
        _ problem: AttentionProblem, on device: CUDADevice
    ) throws -> [Candidate] {
        var engines: [EngineConfiguration] = []
        _ = try AttentionPlan(problem, library: self) { graph, manner in
            engines = graph.engines(manner)
            return nil
        }
        return engines.map { engine in
            Candidate(name: engine.label) { [self] in
                let made = try ExecutionPlan(engine, of: self)
                guard let plan = try AttentionPlan(problem, library: self, choose: { _, _ in made })
                else { return nil }
                return .init(workspaceBytes: made.workspaceBytes) { inputs, output in
                    try plan.run(
                        query: inputs[0], key: inputs[1], value: inputs[2], scale: 0.1,
                        into: output, on: device)
                }
            }
        }
    }

    // MARK: - Convolutions

    private func problem(
        _ convolution: ConvolutionProblem, isUsed: Bool, on device: CUDADevice
    ) -> CandidateProblem {
        let size = convolution.type.size
        let taps = convolution.kernel.reduce(1, *)
        let weights = convolution.outputs * taps * convolution.channels / convolution.groups
        let pixels = convolution.batch * convolution.output.reduce(1, *)
        let kind = convolution.kind
        let extents = ([convolution.batch] + convolution.input).map(String.init)
        let output = pixels * convolution.outputs * size
        return CandidateProblem(
            title: "\(kind): \(extents.joined(separator: " x "))"
                + (convolution.steps == nil ? "" : " overlapping")
                + (isUsed ? "" : " (another form)"),
            key: isUsed ? choices.key(kind) : nil, flops: 2 * Double(pixels) * Double(weights),
            inputs: [
                convolution.batch * convolution.input.reduce(1, *) * convolution.channels * size,
                weights * size, convolution.outputs * size, output,
            ],
            output: output, choice: choices[kind]
        ) { [self] in try candidates(convolution, on: device) }
    }

    private func candidates(
        _ problem: ConvolutionProblem, on device: CUDADevice
    ) throws -> [Candidate] {
        var engines: [EngineConfiguration] = []
        _ = try ConvolutionPlan(problem, library: self) { graph, manner in
            engines = graph.engines(manner)
            return nil
        }
        return engines.map { engine in
            Candidate(name: engine.label) { [self] in
                let made = try ExecutionPlan(engine, of: self)
                guard
                    let plan = try ConvolutionPlan(
                        problem, library: self, choose: { _, _ in made })
                else { return nil }
                return .init(workspaceBytes: made.workspaceBytes) { inputs, output in
                    try plan.run(
                        x: inputs[0], weight: inputs[1], bias: problem.hasBias ? inputs[2] : nil,
                        residual: problem.hasResidual ? inputs[3] : nil, y: output, on: device)
                }
            }
        }
    }
}

extension EngineConfiguration {
    /// The name for the table; says so where cuDNN does not tell it.
    fileprivate var label: String { (try? name().description) ?? "unnamed" }
}

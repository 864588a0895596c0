import Compute
import Tensors

extension MatrixProducts {
    /// The products computed so far.
    func candidateProblems(on device: CUDADevice) throws -> [CandidateProblem] {
        plans.filter { $0.value != nil }.map { problem($0.key, on: device) }
    }

    private func problem(_ product: MatrixProduct, on device: CUDADevice) -> CandidateProblem {
        let isTransposed = product.isWeightTransposed
        let batch = product.batch
        let size = product.type.size
        let x = product.x.byteCount(rows: product.rows, batch: batch, elementSize: size)
        let weight = product.weight.byteCount(
            rows: isTransposed ? product.columns : product.inner, batch: batch, elementSize: size)
        let y = product.y.byteCount(
            rows: product.rows, batch: batch, elementSize: product.outputType.size)
        let bias = max(product.columns, product.rows) * DataType.float32.size
        return CandidateProblem(
            title: product.kind, key: choices.key(product.kind),
            flops: 2 * Double(batch * product.rows) * Double(product.inner * product.columns),
            inputs: [x, weight, bias], output: y, choice: choices[product.kind]
        ) { [self] in try candidates(product, on: device) }
    }

    private func candidates(
        _ product: MatrixProduct, on device: CUDADevice
    ) throws -> [Candidate] {
        var offered: [ProductAlgorithm] = []
        _ = try ProductPlan(
            product, library: library, workspaceLimit: workspaceLimit, count: Self.listLength
        ) {
            offered = $0
            return nil
        }
        return offered.enumerated().map { rank, algorithm in
            Candidate(name: algorithm.name) { [self] in
                let plan = try ProductPlan(
                    product, library: library, workspaceLimit: workspaceLimit,
                    count: Self.listLength
                ) { $0[rank] }
                return plan.map { Self.prepared($0, product, on: device) }
            }
        }
    }

    private static func prepared(
        _ plan: ProductPlan, _ product: MatrixProduct, on device: CUDADevice
    ) -> Candidate.Prepared {
        .init(workspaceBytes: plan.workspaceBytes) { inputs, output in
            let workspace = try device.allocateBytes(max(1, plan.workspaceBytes))
            try plan.run(
                alpha: 1, x: inputs[0], weight: inputs[1],
                scales: product.hasScales ? .init(x: inputs[2], weight: inputs[2]) : nil,
                bias: product.hasBias ? inputs[2] : nil,
                y: output, workspace: workspace, stream: device.stream)
        }
    }
}

extension MatrixProduct.Operand {
    /// Bytes from the first to the last element, and the gap behind the last row.
    fileprivate func byteCount(rows: Int, batch: Int, elementSize: Int) -> Int {
        (rowStride * rows + batchStride * (batch - 1)) * elementSize
    }
}

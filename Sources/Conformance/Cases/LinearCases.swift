import Compute
import Tensors

extension OperationCase {
    /// Products with weights: models' sizes, odd ones, ranges of columns, every activation, sums.
    static let linearCases: [OperationCase] =
        [
            linear("square", rows: 96, inner: 256, columns: 256),
            linear("wide", rows: 288, inner: 128, columns: 1024),
            linear("deep", rows: 64, inner: 2048, columns: 96),
            linear("one-row", rows: 1, inner: 256, columns: 384),
            linear("odd", rows: 37, inner: 51, columns: 67),
            linear("tiny", rows: 5, inner: 6, columns: 24),
            linear("one-column", rows: 33, inner: 24, columns: 1),
            linear("no-rows", rows: 0, inner: 16, columns: 16),
            linear("no-bias", rows: 40, inner: 64, columns: 80, bias: false),
            linear("stacked", rows: 40, inner: 64, columns: 96, parts: 3),
            linear("accumulating", rows: 40, inner: 64, columns: 80, accumulating: true),
            linear(
                "accumulating-gelu", rows: 40, inner: 64, columns: 80, activation: .gelu,
                accumulating: true),
        ]
        + Activation.allCases.map {
            linear("\($0)", rows: 50, inner: 96, columns: 160, activation: $0)
        }
        + [linearOfColumns, linearToFloats, linearFromFloats]

    private static func linear(
        _ name: String, rows: Int, inner: Int, columns: Int, bias: Bool = true,
        activation: Activation = .identity, accumulating: Bool = false, parts: Int = 1
    ) -> OperationCase {
        OperationCase("linear/\(name)") { inputs in
            let device = inputs.device
            let x = try inputs.random([rows, inner], scale: 2)
            let weight = try inputs.weight([columns, inner], for: .linear, parts: parts)
            let bias = bias ? try inputs.parameters([columns]) : nil
            let y =
                accumulating
                ? try inputs.random([rows, columns]) : try inputs.output([rows, columns])
            return Call(output: y) {
                try device.linear(
                    x, weight: weight, bias: bias, activation: activation,
                    accumulating: accumulating, into: y)
            }
        }
    }

    /// From a range of columns into a range of columns, the rest of which must stay.
    private static let linearOfColumns = OperationCase("linear/columns") { inputs in
        let device = inputs.device
        let x = try inputs.random([30, 200]).columns(70..<134)
        let weight = try inputs.weight([48, 64], for: .linear)
        let bias = try inputs.parameters([48])
        let y = try inputs.random([30, 100])
        return Call(output: y) {
            try device.linear(
                x, weight: weight, bias: bias, activation: .identity, accumulating: false,
                into: y.columns(20..<68))
        }
    }

    /// Activations of the run's type, result in float32.
    private static let linearToFloats = OperationCase("linear/to-float32") { inputs in
        let device = inputs.device
        let x = try inputs.random([30, 64])
        let weight = try inputs.weight([48, 64], for: .linear)
        let y = try inputs.output([30, 48], .float32)
        return Call(output: y) {
            try device.linear(
                x, weight: weight, bias: nil, activation: .silu, accumulating: false, into: y)
        }
    }

    /// Activations in float32, weight and result in the run's type.
    private static let linearFromFloats = OperationCase("linear/from-float32") { inputs in
        let device = inputs.device
        let x = try inputs.parameters([30, 64])
        let weight = try inputs.weight([48, 64], for: .linear)
        let y = try inputs.output([30, 48])
        return Call(output: y) {
            try device.linear(
                x, weight: weight, bias: nil, activation: .identity, accumulating: false, into: y)
        }
    }
}

import Compute
import Tensors

extension OperationCase {
    /// A case of tensors of 8 bits, which a device need not offer, with activations in bfloat16.
    static func narrow(
        _ name: String, _ judgement: Judgement = .byType,
        prepare: @escaping @Sendable (inout CaseInputs) throws -> Call
    ) -> OperationCase {
        OperationCase(name, judgement, types: [.bfloat16], isOptional: true, prepare: prepare)
    }

    /// The types of 8 bits that have scales.
    static let narrowTypes: [DataType] = [.float8E4M3, .int8]

    /// Products with weights of 8 bits: of models' sizes and odd ones, of x that the product rounds and of x that is
    /// rounded already, into the activations' type and into 8 bits.
    static let narrowLinearCases: [OperationCase] = narrowTypes.flatMap { type in
        [
            Product(rows: 288, inner: 512, columns: 160).rounding("rounded", type),
            Product(rows: 288, inner: 40 * 128, columns: 96).rounding("rounded-deep", type),
            Product(rows: 37, inner: 51, columns: 67).rounding("rounded-odd", type),
            Product(rows: 1, inner: 512, columns: 384).rounding("rounded-one-row", type),
            Product(rows: 0, inner: 512, columns: 384).rounding("rounded-no-rows", type),
            Product(rows: 40, inner: 64, columns: 96, parts: 3).rounding("rounded-stacked", type),
            Product(rows: 40, inner: 64, columns: 80, input: .float32)
                .rounding("rounded-from-float32", type),
            Product(rows: 288, inner: 512, columns: 160).reading("scaled", type),
            Product(rows: 288, inner: 40 * 128, columns: 96).reading("scaled-deep", type),
            Product(rows: 37, inner: 51, columns: 67).reading("scaled-odd", type),
            Product(rows: 1, inner: 512, columns: 384).reading("scaled-one-row", type),
            Product(rows: 40, inner: 64, columns: 80, bias: false).reading("scaled-no-bias", type),
            Product(rows: 40, inner: 64, columns: 96, parts: 2).reading("scaled-stacked", type),
            Product(rows: 40, inner: 64, columns: 80, output: .float32)
                .reading("scaled-to-float32", type),
            Product(rows: 48, inner: 512, columns: 160, accumulating: true)
                .reading("scaled-accumulating", type),
            Product(rows: 48, inner: 512, columns: 160, activation: .gelu, accumulating: true)
                .reading("scaled-accumulating-gelu", type),
        ]
            + Activation.allCases.map {
                Product(rows: 48, inner: 512, columns: 160, activation: $0)
                    .reading("scaled-\($0)", type)
            }
            + [
                Product(rows: 288, inner: 512, columns: 512, activation: .geluTanh)
                    .narrowing("narrowed", type),
                Product(rows: 37, inner: 51, columns: 67, activation: .geluTanh)
                    .narrowing("narrowed-odd", type),
                narrowLinearOfColumns(type),
            ]
    }

    /// From a range of columns into a range of columns, the rest of which must stay.
    private static func narrowLinearOfColumns(_ type: DataType) -> OperationCase {
        narrow("linear/\(type)-columns") { inputs in
            let device = inputs.device
            let x = try inputs.unevenRows([30, 200]).columns(64..<128)
            let weight = try inputs.weight([48, 64], for: .linear, as: type)
            let y = try inputs.random([30, 112])
            return Call(output: y) {
                try device.linear(
                    x, weight: weight, bias: nil, activation: .identity, accumulating: false,
                    into: y.columns(16..<64))
            }
        }
    }
}

/// A product with a weight of 8 bits.
private struct Product: Sendable {
    let rows: Int
    let inner: Int
    let columns: Int
    var bias = true
    var activation = Activation.identity
    var accumulating = false
    var parts = 1
    var input: DataType?
    var output: DataType?

    /// x in the activations' type, and a weight that is rounded when it is loaded.
    func rounding(_ name: String, _ type: DataType) -> OperationCase {
        .narrow("linear/\(type)-\(name)") { inputs in
            let x = try inputs.unevenRows([rows, inner], input)
            let weight = try inputs.weight(
                [columns, inner], for: .linear, parts: parts, as: type)
            return try call(&inputs, x, weight, into: wide(&inputs))
        }
    }

    /// x with a scale for each row, and a weight that is stored in 8 bits.
    func reading(_ name: String, _ type: DataType) -> OperationCase {
        .narrow("linear/\(type)-\(name)") { inputs in
            let x = try inputs.scaledRows([rows, inner], type)
            let weight = try inputs.storedWeight([columns, inner], type, parts: parts)
            return try call(&inputs, x, weight, into: wide(&inputs))
        }
    }

    /// The same into a y with a scale for each row. Sums that cancel are off by many steps of what is left of them, so that this
    /// is judged as a whole, with the roundings of both the sums and the result in the error allowed.
    func narrowing(_ name: String, _ type: DataType) -> OperationCase {
        .narrow("linear/\(type)-\(name)", .within(4e-2)) { inputs in
            let x = try inputs.scaledRows([rows, inner], type)
            let weight = try inputs.storedWeight([columns, inner], type, parts: parts)
            return try call(&inputs, x, weight, into: inputs.outputRows([rows, columns], type))
        }
    }

    private func wide(_ inputs: inout CaseInputs) throws -> Tensor {
        accumulating
            ? try inputs.random([rows, columns]) : try inputs.output([rows, columns], output)
    }

    private func call(
        _ inputs: inout CaseInputs, _ x: Tensor, _ weight: Tensor, into y: Tensor
    ) throws -> OperationCase.Call {
        let device = inputs.device
        let bias = bias ? try inputs.parameters([columns]) : nil
        return OperationCase.Call(output: y) {
            try device.linear(
                x, weight: weight, bias: bias, activation: activation,
                accumulating: accumulating, into: y)
        }
    }
}

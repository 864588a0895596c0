import Compute
import Tensors

extension OperationCase {
    /// Activations, gated sums and scaling: groups, masks, in place, odd widths.
    static let elementwiseCases: [OperationCase] =
        Activation.allCases.flatMap { [activate($0), multiply($0)] } + [
            add("plain", groups: 12), add("broadcast", groups: 1), add("groups", groups: 3),
            add("gate", groups: 12, gates: 3), add("mask", groups: 12, mask: true),
            add("everything", groups: 4, gates: 2, mask: true, alpha: -0.5),
            addInPlace, addOfColumns, affine, activateOfColumns, activateExtremes, addNothing,
        ]

    private static func activate(_ activation: Activation) -> OperationCase {
        OperationCase("activate/\(activation)") { inputs in
            let device = inputs.device
            let x = try inputs.random([11, 147], scale: 4)
            let y = try inputs.output([11, 147])
            return Call(output: y) { try device.activate(x, activation, into: y) }
        }
    }

    private static func multiply(_ activation: Activation) -> OperationCase {
        OperationCase("multiply/\(activation)") { inputs in
            let device = inputs.device
            let joined = try inputs.random([9, 150], scale: 2)
            let y = try inputs.output([9, 75])
            return Call(output: y) {
                try device.multiply(
                    activating: joined.columns(0..<75), activation,
                    by: joined.columns(75..<150), into: y)
            }
        }
    }

    private static func add(
        _ name: String, groups: Int, gates: Int? = nil, mask: Bool = false, alpha: Float = 1
    ) -> OperationCase {
        OperationCase("add/\(name)") { inputs in
            let device = inputs.device
            let x = try inputs.random([12, 70])
            let addend = try inputs.random([groups, 70])
            let gate = try gates.map { try inputs.parameters([$0, 70]) }
            let mask = mask ? try inputs.parameters([12]) : nil
            let y = try inputs.output([12, 70])
            return Call(output: y) {
                try device.add(x, addend, gate: gate, mask: mask, alpha: alpha, into: y)
            }
        }
    }

    /// x is y; x in float32 and the addend in the run's type.
    private static let addInPlace = OperationCase("add/in-place") { inputs in
        let device = inputs.device
        let x = try inputs.parameters([40, 1024])
        let addend = try inputs.random([40, 1024])
        let gate = try inputs.parameters([2, 1024])
        return Call(output: x) { try device.accumulate(addend, gate: gate, onto: x) }
    }

    /// Everything a range of columns.
    private static let addOfColumns = OperationCase("add/columns") { inputs in
        let device = inputs.device
        let x = try inputs.random([6, 100])
        let addend = try inputs.random([6, 90]).columns(40..<80)
        let gate = try inputs.parameters([3, 120]).columns(10..<50)
        return Call(output: x) {
            let part = x.columns(30..<70)
            try device.add(part, addend, gate: gate, mask: nil, alpha: 1, into: part)
        }
    }

    private static let affine = OperationCase("affine/channels") { inputs in
        let device = inputs.device
        let x = try inputs.random([3, 4, 5, 16])
        let scale = try inputs.parameters([16])
        let shift = try inputs.parameters([16])
        let y = try inputs.output([3, 4, 5, 16])
        return Call(output: y) { try device.affine(x, scale: scale, shift: shift, into: y) }
    }

    private static let activateOfColumns = OperationCase("activate/columns") { inputs in
        let device = inputs.device
        let x = try inputs.random([6, 5, 40]).columns(3..<30)
        let y = try inputs.output([6, 5, 27], .float32)
        return Call(output: y) { try device.activate(x, .silu, into: y) }
    }

    /// Numbers whose exponential overflows or vanishes.
    private static let activateExtremes = OperationCase("activate/extremes") { inputs in
        let device = inputs.device
        let numbers: [Float] = [-1e30, -1000, -88, -20, -1e-30, 0, 1e-30, 20, 88, 1000, 1e10]
        let x = try inputs.tensor(numbers + numbers, [2, 11], inputs.dataType)
        let y = try inputs.output([2, 11])
        return Call(output: y) { try device.activate(x, .silu, into: y) }
    }

    private static let addNothing = OperationCase("add/no-rows") { inputs in
        let device = inputs.device
        let x = try inputs.random([0, 8])
        let addend = try inputs.random([1, 8])
        let y = try inputs.output([0, 8])
        return Call(output: y) {
            try device.add(x, addend, gate: nil, mask: nil, alpha: 1, into: y)
        }
    }
}

import Compute
import Tensors

extension OperationCase {
    /// Moves and conversions; nothing may change but by rounding to another type.
    static let movementCases: [OperationCase] = [
        copy("same", [7, 33]), copy("to-float32", [7, 33], to: .float32),
        copy("to-bfloat16", [7, 33], to: .bfloat16), copy("nothing", [0, 33]),
        copyOfColumns, clear,
        permute("heads", [5, 6, 7], [1, 0, 2]), permute("transpose", [70, 45], [1, 0]),
        permute("channels-last", [3, 4, 5, 6], [1, 2, 3, 0]),
        permute("channels-first", [4, 5, 6, 3], [3, 0, 1, 2]),
        permute("unpatch", [2, 3, 4, 2, 2, 5], [5, 0, 1, 3, 2, 4]),
        permute("identity", [3, 5], [0, 1]), permute("line", [9], [0]),
        permuteOfColumns, gather,
        upsample("space", [2, 3, 5, 8], [2, 6, 10, 8]),
        upsample("frames", [2, 3, 5, 12], [4, 6, 10, 6]),
        quantize,
    ]

    private static func copy(_ name: String, _ shape: Shape, to type: DataType? = nil)
        -> OperationCase
    {
        OperationCase("copy/\(name)", .exact) { inputs in
            let device = inputs.device
            let x = try inputs.random(shape)
            let y = try inputs.output(shape, type)
            return Call(output: y) { try device.copy(x, into: y) }
        }
    }

    private static let copyOfColumns = OperationCase("copy/columns", .exact) { inputs in
        let device = inputs.device
        let x = try inputs.random([6, 4, 50])
        let y = try inputs.random([6, 4, 60], .float32)
        return Call(output: y) {
            try device.copy(x.columns(11..<41), into: y.columns(20..<50))
        }
    }

    /// Some rows of a tensor.
    private static let clear = OperationCase("clear/rows", .exact) { inputs in
        let device = inputs.device
        let x = try inputs.random([9, 31])
        return Call(output: x) { try device.clear(x.rows(2..<7)) }
    }

    private static func permute(_ name: String, _ shape: Shape, _ axes: [Int]) -> OperationCase {
        OperationCase("permute/\(name)", .exact) { inputs in
            let device = inputs.device
            let x = try inputs.random(shape)
            let y = try inputs.output(Shape(axes.map { shape[$0] }))
            return Call(output: y) { try device.permute(x, axes: axes, into: y) }
        }
    }

    private static let permuteOfColumns = OperationCase("permute/columns", .exact) { inputs in
        let device = inputs.device
        let x = try inputs.random([20, 90]).columns(5..<45).splittingColumns(into: 4)
        let y = try inputs.output([4, 10, 20])
        return Call(output: y) { try device.permute(x, axes: [1, 2, 0], into: y) }
    }

    private static let gather = OperationCase("gather/rows", .exact) { inputs in
        let device = inputs.device
        let table = try inputs.random([10, 33])
        let indices = try device.tensor([9, 0, 3, 3, 7] as [Int32], [5], .int32)
        let y = try inputs.output([5, 33], .float32)
        return Call(output: y) { try device.gather(table, rows: indices, into: y) }
    }

    private static func upsample(_ name: String, _ shape: Shape, _ result: Shape)
        -> OperationCase
    {
        OperationCase("upsample/\(name)", .exact) { inputs in
            let device = inputs.device
            let x = try inputs.random(shape)
            let y = try inputs.output(result)
            return Call(output: y) { try device.upsample(x, into: y) }
        }
    }

    /// A number just at a step may fall to either side of it.
    private static let quantize = OperationCase("quantizePixels/pixels", .within(1e-3)) {
        inputs in
        let device = inputs.device
        let x = try inputs.random([2, 9, 7, 3], scale: 0.8)
        let y = try inputs.output([2, 9, 7, 3], .uint8)
        return Call(output: y) { try device.quantizePixels(x, into: y) }
    }
}

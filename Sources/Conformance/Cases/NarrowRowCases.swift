import Compute
import Tensors

extension OperationCase {
    /// Norms, rotation, copies and activations into tensors of 8 bits, with a scale for each row
    /// and with one for all, and copies out of them.
    static let narrowRowCases: [OperationCase] = narrowTypes.flatMap { type in
        [NarrowForm.rows, .one].flatMap { form in
            [
                narrowLayerNorm("288x512", [288, 512], type, form),
                narrowLayerNorm("288x40x128", [288, 40 * 128], type, form),
                narrowLayerNorm("12x51", [12, 51], type, form),
                narrowRMSNorm("288x4x128", rows: 288, heads: 4, head: 128, type, form),
                narrowRMSNorm("288x40x128", rows: 288, heads: 40, head: 128, type, form),
                narrowRMSNorm("20x3x24", rows: 20, heads: 3, head: 24, type, form),
                narrowRotation("288x4x128", [288, 4, 128], type, form),
                narrowRotation("9x3x24", [9, 3, 24], type, form),
                narrowCopy("288x512", [288, 512], type, form),
                narrowCopy("7x51", [7, 51], type, form),
                narrowActivation("288x512", [288, 512], type, form),
                narrowActivation("7x51", [7, 51], type, form),
                wideCopy("288x512", [288, 512], type, form, to: .bfloat16),
                wideCopy("7x51", [7, 51], type, form, to: .bfloat16),
                wideCopy("to-float32", [7, 51], type, form, to: .float32),
            ]
        } + rowsOfModels(type)
            + [copyOfColumns(type), copyOfZeros(type), copyBeyondTheLargest(type)]
    }

    /// Rows as wide as those of the published denoiser.
    private static func rowsOfModels(_ type: DataType) -> [OperationCase] {
        let (dim, feedForward) = (40 * 128, 108 * 128)
        return [
            weightedLayerNorm("weighted-288x40x128", [288, dim], type),
            narrowActivation("288x40x128", [288, dim], type, .rows),
            narrowActivation("24x108x128", [24, feedForward], type, .rows),
            narrowCopy("24x108x128", [24, feedForward], type, .rows),
        ]
    }

    private static func weightedLayerNorm(
        _ name: String, _ shape: Shape, _ type: DataType
    ) -> OperationCase {
        narrow("layerNorm/\(type)-rows-\(name)", .steps) { inputs in
            let device = inputs.device
            let x = try inputs.random(shape, scale: 3)
            let weight = try inputs.parameters([shape[1]])
            let bias = try inputs.parameters([shape[1]])
            let y = try inputs.outputRows(shape, type)
            return Call(output: y) {
                try device.layerNorm(
                    x, weight: weight, bias: bias, scale: nil, shift: nil, epsilon: 1e-6, into: y)
            }
        }
    }

    private static func narrowLayerNorm(
        _ name: String, _ shape: Shape, _ type: DataType, _ form: NarrowForm
    ) -> OperationCase {
        narrow("layerNorm/\(type)-\(form)-\(name)", .steps) { inputs in
            let device = inputs.device
            let x = try inputs.random(shape, scale: 3)
            let modulation = try inputs.parameters([3, 2 * shape[1]])
            let y = try form.output(inputs, shape, type)
            return Call(output: y) {
                try device.layerNorm(
                    x, weight: nil, bias: nil, scale: modulation.columns(0..<shape[1]),
                    shift: modulation.columns(shape[1]..<2 * shape[1]), epsilon: 1e-6, into: y)
            }
        }
    }

    private static func narrowRMSNorm(
        _ name: String, rows: Int, heads: Int, head: Int, _ type: DataType, _ form: NarrowForm
    ) -> OperationCase {
        narrow("rmsNorm/\(type)-\(form)-\(name)", .steps) { inputs in
            let device = inputs.device
            let x = try inputs.unevenRows([rows, heads * head])
            let weight = try inputs.parameters([heads * head])
            let table = try inputs.rotation([rows, head / 2, 2])
            let y = try form.output(inputs, [rows, heads * head], type)
            return Call(output: y) {
                try device.rmsNorm(x, weight: weight, epsilon: 1e-6, rotation: table, into: y)
            }
        }
    }

    private static func narrowRotation(
        _ name: String, _ shape: Shape, _ type: DataType, _ form: NarrowForm
    ) -> OperationCase {
        narrow("rotate/\(type)-\(form)-\(name)", .steps) { inputs in
            let device = inputs.device
            let (rows, width) = (shape[0], shape[1] * shape[2])
            let x = try inputs.unevenRows([rows, width]).reshaped(shape)
            let table = try inputs.rotation([rows, shape[2] / 2, 2])
            let y = try form.output(inputs, [rows, width], type)
            return Call(output: y) { try device.rotate(x, by: table, into: y.reshaped(shape)) }
        }
    }

    private static func narrowCopy(
        _ name: String, _ shape: Shape, _ type: DataType, _ form: NarrowForm
    ) -> OperationCase {
        narrowElements("copy", name, shape, type, form) { try $0.copy($1, into: $2) }
    }

    private static func narrowActivation(
        _ name: String, _ shape: Shape, _ type: DataType, _ form: NarrowForm
    ) -> OperationCase {
        narrowElements("activate", name, shape, type, form) {
            try $0.activate($1, .geluTanh, into: $2)
        }
    }

    /// An operation from rows of uneven sizes to numbers of 8 bits, element by element.
    private static func narrowElements(
        _ operation: String, _ name: String, _ shape: Shape, _ type: DataType, _ form: NarrowForm,
        _ run: @escaping @Sendable (_ device: any Device, _ x: Tensor, _ y: Tensor) throws -> Void
    ) -> OperationCase {
        narrow("\(operation)/\(type)-\(form)-\(name)", .steps) { inputs in
            let device = inputs.device
            let x = try inputs.unevenRows(shape)
            let y = try form.output(inputs, shape, type)
            return Call(output: y) { try run(device, x, y) }
        }
    }

    /// Out of 8 bits: numbers times scales are rounded once.
    private static func wideCopy(
        _ name: String, _ shape: Shape, _ type: DataType, _ form: NarrowForm, to wide: DataType
    ) -> OperationCase {
        narrow("copy/from-\(type)-\(form)-\(name)", .exact) { inputs in
            let device = inputs.device
            let x = try form.input(&inputs, shape, type)
            let y = try inputs.output(shape, wide)
            return Call(output: y) { try device.copy(x, into: y) }
        }
    }

    /// Out of a range of columns, and of rows behind the first.
    private static func copyOfColumns(_ type: DataType) -> OperationCase {
        narrow("copy/from-\(type)-columns", .exact) { inputs in
            let device = inputs.device
            let x = try inputs.scaledRows([9, 60], type).rows(2..<8).columns(16..<48)
            let y = try inputs.output([6, 32])
            return Call(output: y) { try device.copy(x, into: y) }
        }
    }

    /// A row of zeros must not divide by zero.
    private static func copyOfZeros(_ type: DataType) -> OperationCase {
        narrow("copy/\(type)-zeros", .steps) { inputs in
            let device = inputs.device
            let x = try inputs.random([3, 32], scale: 0)
            let y = try inputs.outputRows([3, 32], type)
            return Call(output: y) { try device.copy(x, into: y) }
        }
    }

    /// What is beyond the largest number becomes that.
    private static func copyBeyondTheLargest(_ type: DataType) -> OperationCase {
        narrow("copy/\(type)-beyond", .steps) { inputs in
            let device = inputs.device
            let x = try inputs.unevenRows([7, 48])
            let y = try inputs.outputByOne([7, 48], type, scale: 1 / 256)
            return Call(output: y) { try device.copy(x, into: y) }
        }
    }

    /// Attention of float8_e4m3 with one scale for each tensor.
    ///
    /// The result is rounded to 8 bits, and cuDNN rounds the softmax, too: each costs some 2.6e-2
    /// of the length.
    static let narrowAttentionCases: [OperationCase] = [
        narrowAttention("288x400x2x128", queries: 288, keys: 400, heads: 2, head: 128),
        narrowAttention("many-keys", queries: 300, keys: 1100, heads: 2, head: 128),
        narrowAttention("many-keys-shared", queries: 300, keys: 1100, heads: 3, head: 128),
        narrowAttention("many-keys-odd", queries: 70, keys: 1033, heads: 1, head: 128),
        narrowAttention("20x31x3x24", queries: 20, keys: 31, heads: 3, head: 24),
        narrowAttention("batch", batch: 2, queries: 64, keys: 96, heads: 2, head: 64),
        windowAttention("whole", queries: 300, rows: [16, 704, 352], heads: 3),
        windowAttention("part", queries: 150, rows: [1024, 64], heads: 2, keys: 1059),
        windowAttention("short", queries: 40, rows: [48], heads: 1),
    ]

    private static func narrowAttention(
        _ name: String, batch: Int = 1, queries: Int, keys: Int, heads: Int, head: Int
    ) -> OperationCase {
        narrow("attention/float8_e4m3-\(name)", .within(6e-2)) { inputs in
            let device = inputs.device
            func random(_ tokens: Int, scale: Float) throws -> Tensor {
                try inputs.scaledByOne(
                    [batch, tokens, heads, head], .float8E4M3, scale: scale)
            }
            let query = try random(queries, scale: 1 / 64)
            let key = try random(keys, scale: 1 / 32)
            let value = try random(keys, scale: 1 / 128)
            let out = try inputs.outputByOne(query.shape, .float8E4M3, scale: 1 / 100)
            return Call(output: out) {
                try device.attention(
                    query: query, key: key, value: value, scale: 1 / Float(head).squareRoot(),
                    bias: nil, into: out)
            }
        }
    }

    /// Attention over a window whose values are written range by range, in tiles where the device wants that; of more rows
    /// than there are keys. The first range is copied in the run's type, the second in float32, the third is a product.
    private static func windowAttention(
        _ name: String, queries: Int, rows: [Int], heads: Int, keys: Int? = nil
    ) -> OperationCase {
        narrow("attention/float8_e4m3-window-\(name)", .within(6e-2)) { inputs in
            let (device, head, all) = (inputs.device, 128, rows.reduce(0, +))
            let query = try inputs.scaledByOne(
                [1, queries, heads, head], .float8E4M3, scale: 1 / 64)
            let key = try inputs.scaledByOne([all, heads, head], .float8E4M3, scale: 1 / 32)
            let values = try windowValues([all, heads, head], on: device)
            var start = 0
            let writes = try rows.enumerated().map { index, count in
                let target = values.rows(start..<start + count).reshaped([count, heads * head])
                start += count
                return try write(into: target, as: index, &inputs)
            }
            let out = try inputs.outputByOne(query.shape, .float8E4M3, scale: 1 / 100)
            func active(_ tensor: Tensor) -> Tensor {
                tensor.rows(0..<(keys ?? all)).reshaped([1, keys ?? all, heads, head])
            }
            return Call(output: out) {
                for write in writes { try write() }
                try device.attention(
                    query: query, key: active(key), value: active(values),
                    scale: 1 / Float(head).squareRoot(), bias: nil, into: out)
            }
        }
    }

    /// Zeros as the denoiser's windows have them.
    private static func windowValues(_ shape: Shape, on device: any Device) throws -> Tensor {
        let memory = try device.zeros(shape, .float8E4M3)
        let scale = try device.tensor([Float(1) / 64], [1])
        return memory.scaled(
            byOne: scale, inTiles: device.wantsTiledValues(head: shape[-1]))
    }

    /// What writes random numbers of variance 1, in the way of that number.
    private static func write(
        into y: Tensor, as way: Int, _ inputs: inout CaseInputs
    ) throws -> () throws -> Void {
        let device = inputs.device
        guard way == 2 else {
            let x = try inputs.random(y.shape, way == 1 ? .float32 : nil)
            return { try device.copy(x, into: y) }
        }
        let x = try inputs.random([y.shape[0], 64])
        let weight = try inputs.weight([y.shape[1], 64], for: .linear)
        return {
            try device.linear(
                x, weight: weight, bias: nil, activation: .identity, accumulating: false, into: y)
        }
    }
}

/// How the tensors of a case are scaled.
private enum NarrowForm: Sendable {
    /// A scale for each row.
    case rows
    /// One for all.
    case one

    /// One scale, with which numbers of size 1 use half of either type.
    private static let scale: Float = 1 / 16

    func output(_ inputs: CaseInputs, _ shape: Shape, _ type: DataType) throws -> Tensor {
        switch self {
        case .rows: try inputs.outputRows(shape, type)
        case .one: try inputs.outputByOne(shape, type, scale: Self.scale)
        }
    }

    func input(_ inputs: inout CaseInputs, _ shape: Shape, _ type: DataType) throws -> Tensor {
        switch self {
        case .rows: try inputs.scaledRows(shape, type)
        case .one: try inputs.scaledByOne(shape, type, scale: Self.scale)
        }
    }
}

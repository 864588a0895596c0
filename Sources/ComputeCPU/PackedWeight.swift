import COneDNN
import Compute
import Tensors

/// A weight in the blocks that oneDNN's products want.
final class PackedWeight: Storage {
    /// The blocks' layout, shared between weights.
    let layout: Layout
    /// The first byte.
    let address: UnsafeMutableRawPointer
    let byteCount: Int
    private let block: MemoryBlock

    /// Packs what `source` holds, row-major or in other blocks, into `layout`.
    init(
        _ source: UnsafeMutableRawPointer, _ sourceLayout: Layout, into layout: Layout,
        on device: CPUDevice
    ) throws {
        self.layout = device.oneDNN.shared(layout)
        byteCount = layout.byteCount
        block = try device.pool.allocate(byteCount)
        address = block.address
        let engine = device.oneDNN.engine
        let description = try PrimitiveDescription(
            "pack a weight", on: device, attributes: Attributes()
        ) {
            dnnl_reorder_primitive_desc_create(
                $0, sourceLayout.descriptor, engine, layout.descriptor, engine, $1)
        }
        let reorder = try Primitive(
            description, [DNNL_ARG_SRC, DNNL_ARG_DST], engine: engine)
        try device.run(reorder, [source, address])
    }

    /// The layout of a weight [n, k] of `linear` for a middling number of rows.
    private static func preferredLayout(
        _ shape: Shape, _ dataType: DataType, outputType: DataType, on device: CPUDevice
    ) throws -> Layout {
        let product = MatrixProduct(
            rows: 288, inner: shape[1], columns: shape[0], type: dataType, outputType: outputType)
        return try product.preferredWeightLayout(on: device)
    }

    /// The int8 numbers [n, k], row-major, of a weight of `linear`, packed.
    convenience init(numbers: Tensor, on device: CPUDevice) throws {
        let layout = try Self.preferredLayout(
            numbers.shape, .int8, outputType: .float32, on: device)
        try self.init(
            numbers.address, MatrixProduct.rowMajorWeight(numbers.shape, .int8), into: layout,
            on: device)
    }

    /// The weight [n, k] of `linear`, packed for a middling number of rows.
    static func linear(
        _ views: [TensorView], _ shape: Shape, _ dataType: DataType, on device: CPUDevice
    ) throws -> PackedWeight {
        let layout = try preferredLayout(shape, dataType, outputType: dataType, on: device)
        // oneDNN reads either type where it lies; stacked, unaligned or other views are gathered before.
        if views.count == 1, views[0].isAligned,
            views[0].dataType == .float32 || views[0].dataType == .bfloat16,
            let bytes = views[0].bytes.baseAddress
        {
            defer { views[0].releasePages() }
            return try PackedWeight(
                UnsafeMutableRawPointer(mutating: bytes),
                MatrixProduct.rowMajorWeight(shape, views[0].dataType), into: layout, on: device)
        }
        let gathered = try device.gather(views, as: dataType)
        return try PackedWeight(
            gathered.address, MatrixProduct.rowMajorWeight(shape, dataType), into: layout,
            on: device)
    }
}

import COneDNN
import Compute
import Tensors

/// The weight of a convolution: views of a file, packed when first used, then given back to the system.
final class ConvolutionWeight: Storage {
    let byteCount: Int
    let groups: Int
    private let views: [TensorView]
    private let shape: Shape
    private let dataType: DataType
    /// The weight in the layouts in which it was used.
    private var packed: [PackedWeight] = []
    private var chosen: [Convolution: PackedWeight] = [:]
    private var transformed: WinogradWeight?

    /// A weight [o, c / groups, kt, kh, kw], stacked from views.
    init(views: [TensorView], shape: Shape, dataType: DataType, groups: Int) {
        self.views = views
        self.shape = shape
        self.dataType = dataType
        self.groups = groups
        byteCount = shape.elementCount * dataType.size
    }

    /// The weight in the layout that is best for a direct convolution.
    func packed(for convolution: Convolution, on device: CPUDevice) throws -> PackedWeight {
        if let known = chosen[convolution] { return known }
        let layout = try convolution.describe(weight: convolution.anyWeight(), on: device)
            .layout(DNNL_ARG_WEIGHTS_0)
        let weight =
            try packed.first { $0.layout == layout }
            ?? pack(convolution, into: layout, on: device)
        chosen[convolution] = weight
        return weight
    }

    /// The weight for Winograd's minimal filtering.
    func transformed(on device: CPUDevice) throws -> WinogradWeight {
        if let transformed { return transformed }
        let source = try device.gather(views, as: .float32)
        let weight = try WinogradWeight(
            UnsafePointer(source.address.assumingMemoryBound(to: Float.self)), shape,
            as: dataType, on: device)
        transformed = weight
        return weight
    }

    private func pack(
        _ convolution: Convolution, into layout: Layout, on device: CPUDevice
    ) throws -> PackedWeight {
        let source: HostMemory
        var sourceType = dataType
        let isReadable = views[0].dataType == .float32 || views[0].dataType == .bfloat16
        if views.count == 1, views[0].isAligned, isReadable {
            source = HostMemory(views[0])
            sourceType = views[0].dataType
        } else {
            source = try device.gather(views, as: dataType)
        }
        let weight = try PackedWeight(
            source.address, convolution.rowMajorWeight(sourceType), into: layout, on: device)
        for view in views { view.releasePages() }
        packed.append(weight)
        return weight
    }
}

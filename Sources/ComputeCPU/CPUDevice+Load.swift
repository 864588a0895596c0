import CKernels
import COneDNN
import Compute
import Tensors

extension CPUDevice {
    /// `.elements` of one view in the wanted type stay where they are mapped. Weights of `linear` are packed into
    /// oneDNN's blocks at once and their mapped pages given back; those of `convolution` when they are first used,
    /// as their best layout depends on the picture.
    public func load(
        _ views: [TensorView], as dataType: DataType, for use: TensorUse
    ) throws -> Tensor {
        let shape = views.stackedShape
        let storage: any Storage
        switch use {
        case .elements:
            storage = try elements(views, shape, dataType)
        case .linear where dataType.isNarrow:
            return try narrowWeight(views, shape, dataType)
        case .linear:
            try checkProduct(of: dataType)
            storage = try PackedWeight.linear(views, shape, dataType, on: self)
        case .convolution(let groups):
            try checkProduct(of: dataType)
            storage = ConvolutionWeight(
                views: views, shape: shape, dataType: dataType, groups: groups)
        }
        return Tensor(storage: storage, shape: shape, dataType: dataType)
    }

    /// Throws unless weights of this type can be multiplied here.
    private func checkProduct(of dataType: DataType) throws {
        guard Self.isSupported(dataType) else {
            throw unsupported("products of \(dataType) on this processor")
        }
    }

    /// The views' elements row-major: in place where possible.
    private func elements(
        _ views: [TensorView], _ shape: Shape, _ dataType: DataType
    ) throws -> HostMemory {
        if views.count == 1, views[0].dataType == dataType, views[0].isAligned {
            return HostMemory(views[0])
        }
        let memory = try gather(views, as: dataType)
        precondition(memory.byteCount == shape.elementCount * dataType.size)
        return memory
    }

    /// The views' elements behind one another, converted; their mapped pages are given back.
    func gather(_ views: [TensorView], as dataType: DataType) throws -> HostMemory {
        let byteCount = views.reduce(0) { $0 + $1.shape.elementCount } * dataType.size
        let memory = HostMemory(try pool.allocate(byteCount), byteCount: byteCount)
        var target = memory.address
        for view in views {
            try convert(view, to: dataType, at: target)
            target += view.shape.elementCount * dataType.size
            view.releasePages()
        }
        return memory
    }

    /// Writes a view's elements as another type.
    private func convert(
        _ view: TensorView, to dataType: DataType, at target: UnsafeMutableRawPointer
    ) throws {
        guard let source = view.bytes.baseAddress, view.bytes.count > 0 else { return }
        if view.dataType == dataType {
            target.copyMemory(from: source, byteCount: view.bytes.count)
        } else if view.dataType == .bfloat16 && dataType == .float32 {
            let floats = target.assumingMemoryBound(to: Float.self)
            view.withElements(as: UInt16.self) { widen($0, at: floats) }
        } else if dataType == .float32 || dataType == .bfloat16 {
            let narrow = dataType == .bfloat16 ? target.assumingMemoryBound(to: UInt16.self) : nil
            let floats = target.assumingMemoryBound(to: Float.self)
            let store = { (source: UnsafeBufferPointer<Float>) in
                if let narrow {
                    self.narrow(source, at: narrow)
                } else {
                    floats.update(from: source.baseAddress!, count: source.count)
                }
            }
            if view.dataType == .float32 {
                view.withElements(as: Float.self, store)
            } else {
                view.floats().withUnsafeBufferPointer(store)
            }
        } else {
            throw unsupported("loading \(view.dataType) as \(dataType)")
        }
    }

    private func widen(
        _ source: UnsafeBufferPointer<UInt16>, at target: UnsafeMutablePointer<Float>
    ) {
        guard let base = source.baseAddress else { return }
        workers.forRanges(of: source.count, minimum: 1 << 16) { range in
            kernels.pointee.widen(
                base + range.lowerBound, target + range.lowerBound, range.count)
        }
    }

    private func narrow(
        _ source: UnsafeBufferPointer<Float>, at target: UnsafeMutablePointer<UInt16>
    ) {
        guard let base = source.baseAddress else { return }
        workers.forRanges(of: source.count, minimum: 1 << 16) { range in
            kernels.pointee.narrow(
                base + range.lowerBound, target + range.lowerBound, range.count)
        }
    }
}

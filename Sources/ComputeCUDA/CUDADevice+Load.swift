import Compute
import Tensors

extension CUDADevice {
    /// The views' bytes go to the card as they are, and are converted there. Weights of `convolution` are laid out
    /// channels-last, [o, kt, kh, kw, c / groups]; others row-major.
    public func load(
        _ views: [TensorView], as dataType: DataType, for use: TensorUse
    ) throws -> Tensor {
        if dataType.isNarrow, case .linear = use {
            return try gatherScaled(views, dataType)
        }
        if case .convolution(let groups) = use {
            // What is turned, or filled up, is not held.
            let channels = views.stackedShape[1]
            let isCopied = views.stackedShape.elementCount > views.stackedShape[0] * channels
            let raw = try holding(isCopied && channels > 1 ? .short : lifetime) {
                try gather(views, dataType)
            }
            return try convolutionWeight(raw, groups: groups)
        }
        return try gather(views, dataType)
    }

    public func load(_ numbers: [TensorView], scales: [TensorView]) throws -> Tensor {
        precondition(numbers.stackedShape.rank == 2)
        let whole = try gather(numbers, numbers[0].dataType)
        return try whole.scaled(byRows: gather(scales, .float32))
    }

    /// The views' rows behind one another, rounded here with a scale for each.
    private func gatherScaled(_ views: [TensorView], _ dataType: DataType) throws -> Tensor {
        let whole = try allocateScaledRows(views.stackedShape, dataType)
        var start = 0
        for view in views {
            let part = whole.rows(start..<start + view.shape[0])
            try holding(.short) {
                var wide = try allocate(view.shape, view.dataType)
                try upload(view, to: wide)
                if !wide.isFloating { wide = try cast(wide, to: .float32) }
                try convertScaled(wide, .identity, into: part)
            }
            start += view.shape[0]
            view.releasePages()
        }
        return whole
    }

    /// The views' elements behind one another, converted; their mapped pages are given back.
    private func gather(
        _ views: [TensorView], _ dataType: DataType
    ) throws -> Tensor {
        let whole = try allocate(views.stackedShape, dataType)
        let flat = whole.reshaped([whole.shape.elementCount])
        var start = 0
        for view in views {
            let part = flat.rows(start..<start + view.shape.elementCount)
            start += view.shape.elementCount
            if view.dataType == dataType {
                try upload(view, to: part)
            } else {
                let raw = try holding(.short) { try allocate(part.shape, view.dataType) }
                try upload(view, to: raw)
                try copy(raw, into: part)
            }
            view.releasePages()
        }
        return whole
    }

    private func upload(_ view: TensorView, to tensor: Tensor) throws {
        guard view.bytes.count > 0 else { return }
        try context.activate()
        try weightUploader().upload(view, to: tensor.address, of: stream)
    }
}

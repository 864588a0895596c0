import Compute
import Tensors

extension ReferenceDevice {
    public func copy(_ x: Tensor, into y: Tensor) {
        store(values(x), in: y)
    }

    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) {
        let elements = values(x)
        let extents = x.shape.dimensions
        let strides = extents.indices.map { axis in extents[(axis + 1)...].reduce(1, *) }
        var places = x.shape.elementCount > 0 ? [0] : []
        for axis in axes {
            places = places.flatMap { place in
                (0..<extents[axis]).map { place + $0 * strides[axis] }
            }
        }
        store(places.map { elements[$0] }, in: y)
    }

    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) {
        let (rows, width) = (values(table), table.shape[-1])
        store(
            values(indices).flatMap { rows[Int($0) * width..<(Int($0) + 1) * width] }, in: y)
    }

    public func upsample(_ x: Tensor, into y: Tensor) {
        let elements = values(x)
        let (height, width, depth) = (x.shape[1], x.shape[2], x.shape[3])
        let channels = y.shape[3]
        let parts = y.shape[0] == x.shape[0] ? 1 : 2
        var result: [Double] = []
        for frame in 0..<y.shape[0] {
            for row in 0..<2 * height {
                for column in 0..<2 * width {
                    let pixel = (frame / parts * height + row / 2) * width + column / 2
                    let first = pixel * depth + frame % parts * channels
                    result += elements[first..<first + channels]
                }
            }
        }
        store(result, in: y)
    }

    public func quantizePixels(_ x: Tensor, into y: Tensor) {
        store(values(x).map { (max(0, min(1, ($0 + 1) / 2)) * 255).rounded(.towardZero) }, in: y)
    }
}

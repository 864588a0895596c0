import Media
import Tensors

/// One frame of floats.
struct FrameValues {
    /// Values of a pixel.
    let channels: Int
    /// Rows.
    let height: Int
    /// Columns.
    let width: Int
    /// [channels, height, width], row-major.
    let values: [Double]

    /// Reads one frame of a tensor; traps if it is not of this shape or has no such frame.
    init(_ frame: Int, of tensor: TensorView, shape: FrameShape) {
        precondition((0..<shape.frames).contains(frame) && shape.content != .bytes)
        (channels, height, width) = (shape.channels, shape.height, shape.width)
        let area = shape.height * shape.width
        let (clip, index) = frame.quotientAndRemainder(dividingBy: shape.clipFrames)
        values = (0..<shape.channels).flatMap { channel in
            let start = ((clip * shape.channels + channel) * shape.clipFrames + index) * area
            return tensor.doubles(start..<start + area)
        }
    }

    /// Pixels of the frame.
    var area: Int { height * width }

    /// The values of a pixel, by its row-major index.
    func pixel(_ index: Int) -> [Double] {
        (0..<channels).map { values[$0 * area + index] }
    }

    /// A picture of the same size, of which `colour` gives each pixel.
    func picture(_ colour: ([Double]) -> [UInt8]) -> Image {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(area * 3)
        for index in 0..<area { bytes += colour(pixel(index)) }
        return Image(height: height, width: width, values: bytes)
    }
}

extension Image {
    /// A frame of bytes, as it lies in its tensor. Traps if the tensor is not of this shape.
    init(_ frame: Int, of tensor: TensorView, shape: FrameShape) {
        precondition((0..<shape.frames).contains(frame) && shape.content == .bytes)
        let count = shape.height * shape.width * shape.channels
        self.init(
            height: shape.height, width: shape.width,
            values: Array(tensor.bytes[frame * count..<(frame + 1) * count]))
    }
}

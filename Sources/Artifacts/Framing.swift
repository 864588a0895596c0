import Tensors

/// How a picture was fitted into the video's frame: scaled, cropped, and bordered with black where
/// it was too small. All in pixels; metadata of a `reference`.
public struct Framing: Hashable, Sendable {
    /// Width and height.
    public struct Size: Hashable, Sendable {
        /// Pixels in a row.
        public var width: Int
        /// Rows.
        public var height: Int

        /// A size; traps if a side is negative.
        public init(width: Int, height: Int) {
            precondition(width >= 0 && height >= 0)
            self.width = width
            self.height = height
        }
    }

    /// The part of the scaled picture that is seen.
    public struct Crop: Hashable, Sendable {
        /// Columns left of it.
        public var x: Int
        /// Rows above it.
        public var y: Int
        /// Its size.
        public var size: Size

        /// A part of a picture.
        public init(x: Int, y: Int, size: Size) {
            self.x = x
            self.y = y
            self.size = size
        }
    }

    /// Widths of the black border around the cropped picture.
    public struct Padding: Hashable, Sendable {
        /// Columns on the left.
        public var left: Int
        /// Rows on top.
        public var top: Int
        /// Columns on the right.
        public var right: Int
        /// Rows below.
        public var bottom: Int

        /// A border; none by default.
        public init(left: Int = 0, top: Int = 0, right: Int = 0, bottom: Int = 0) {
            self.left = left
            self.top = top
            self.right = right
            self.bottom = bottom
        }
    }

    /// The picture as it was decoded, upright.
    public var image: Size
    /// The picture after scaling.
    public var scaled: Size
    /// What is seen of the scaled picture.
    public var crop: Crop
    /// What was added around it.
    public var padding: Padding

    /// A framing; traps unless the crop lies in the scaled picture.
    public init(image: Size, scaled: Size, crop: Crop, padding: Padding = Padding()) {
        precondition(
            crop.x >= 0 && crop.y >= 0 && crop.x + crop.size.width <= scaled.width
                && crop.y + crop.size.height <= scaled.height)
        self.image = image
        self.scaled = scaled
        self.crop = crop
        self.padding = padding
    }

    /// The video's frame: what is seen and the border.
    public var frame: Size {
        Size(
            width: padding.left + crop.size.width + padding.right,
            height: padding.top + crop.size.height + padding.bottom)
    }
}

extension Framing {
    /// The metadata strings: sizes as `WIDTHxHEIGHT`, crop as `X,Y,WIDTHxHEIGHT`, padding as
    /// `LEFT,TOP,RIGHT,BOTTOM`.
    var metadata: [String: String] {
        [
            "image_size": "\(image.width)x\(image.height)",
            "scaled_size": "\(scaled.width)x\(scaled.height)",
            "crop": "\(crop.x),\(crop.y),\(crop.size.width)x\(crop.size.height)",
            "padding": "\(padding.left),\(padding.top),\(padding.right),\(padding.bottom)",
        ]
    }

    /// Reads what metadata tells; nil if something lacks or makes no sense.
    init?(metadata: [String: String]) {
        func numbers(_ key: String, _ count: Int) -> [Int]? {
            guard let text = metadata[key] else { return nil }
            let parts = text.split(whereSeparator: { ",x".contains($0) }).map { Int($0) }
            let numbers = parts.compactMap { $0 }.filter { (0...Int(UInt32.max)).contains($0) }
            return parts.count == count && numbers.count == count ? numbers : nil
        }
        guard let image = numbers("image_size", 2), let scaled = numbers("scaled_size", 2),
            let crop = numbers("crop", 4), let padding = numbers("padding", 4),
            crop[0] + crop[2] <= scaled[0], crop[1] + crop[3] <= scaled[1]
        else { return nil }
        self.init(
            image: Size(width: image[0], height: image[1]),
            scaled: Size(width: scaled[0], height: scaled[1]),
            crop: Crop(x: crop[0], y: crop[1], size: Size(width: crop[2], height: crop[3])),
            padding: Padding(
                left: padding[0], top: padding[1], right: padding[2], bottom: padding[3]))
    }
}

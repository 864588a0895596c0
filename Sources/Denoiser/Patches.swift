/// Frames, height and width of the box of latents that becomes one token.
struct PatchSize: Hashable {
    let frames: Int
    let height: Int
    let width: Int

    /// The patch of noisy, pose and reference latents, and of the velocity.
    static let block = PatchSize(
        frames: 1, height: DenoiserConfiguration.patch, width: DenoiserConfiguration.patch)

    /// Latents in a patch of `channels` channels.
    func elementCount(channels: Int) -> Int { channels * frames * height * width }
}

extension Latents {
    /// The latents of each patch in the order (channel, frame, row, column): [tokens, elements],
    /// tokens by frame, row and column. What does not fill a patch at the far edges is left out, as
    /// a strided convolution does.
    func patches(_ patch: PatchSize) -> [Float] {
        let (rows, columns) = (height / patch.height, width / patch.width)
        let tokens = frames / patch.frames * rows * columns
        let count = tokens * patch.elementCount(channels: channels)
        return [Float](unsafeUninitializedCapacity: count) { patches, filled in
            values.withUnsafeBufferPointer { values in
                for token in 0..<tokens {
                    let (frame, place) = token.quotientAndRemainder(dividingBy: rows * columns)
                    let (row, column) = place.quotientAndRemainder(dividingBy: columns)
                    let origin =
                        (frame * patch.frames * height + row * patch.height) * width
                        + column * patch.width
                    filled = copy(patch, at: origin, of: values, to: patches, filled)
                }
            }
        }
    }

    /// Copies the patch that starts `origin` elements behind each channel's first to `patches` from
    /// `target` on; returns where it ends.
    private func copy(
        _ patch: PatchSize, at origin: Int, of values: UnsafeBufferPointer<Float>,
        to patches: UnsafeMutableBufferPointer<Float>, _ target: Int
    ) -> Int {
        var target = target
        for channel in 0..<channels {
            for frame in 0..<patch.frames {
                for row in 0..<patch.height {
                    let source =
                        ((channel * frames + frame) * height + row) * width + origin
                    for column in 0..<patch.width {
                        patches[target] = values[source + column]
                        target += 1
                    }
                }
            }
        }
        return target
    }

    /// The inverse for the head's output: [tokens, elements] in the order (row, column, channel)
    /// inside a patch of one frame.
    init(patches: [Float], channels: Int, frames: Int, height: Int, width: Int) {
        let side = DenoiserConfiguration.patch
        precondition(patches.count == channels * frames * height * width)
        let columns = width / side
        let values = [Float](unsafeUninitializedCapacity: patches.count) { values, filled in
            for index in 0..<patches.count / channels {
                let (token, place) = index.quotientAndRemainder(dividingBy: side * side)
                let (tokenRow, column) = token.quotientAndRemainder(dividingBy: columns)
                let (frame, row) = tokenRow.quotientAndRemainder(dividingBy: height / side)
                let target =
                    (frame * height + row * side + place / side) * width + column * side
                    + place % side
                // Channels lie a whole video of latents apart.
                for channel in 0..<channels {
                    values[channel * frames * height * width + target] =
                        patches[index * channels + channel]
                }
            }
            filled = patches.count
        }
        self.init(
            channels: channels, frames: frames, height: height, width: width, values: values)
    }
}

import CKernels
import Compute
import Tensors

/// The weight of a convolution transformed for Winograd's minimal filtering, in the kernels' panels.
final class WinogradWeight {
    /// The first byte of [16, panels of outputs, taps, channels, panel], bfloat16 in pairs of channels.
    let address: UnsafeMutableRawPointer
    private let block: MemoryBlock

    /// Transforms float32 kernels [o, c, taps, 3, 3].
    init(
        _ source: UnsafePointer<Float>, _ shape: Shape, as dataType: DataType,
        on device: CPUDevice
    ) throws {
        let (outputs, channels, taps) = (shape[0], shape[1], shape[2])
        let panel = Int(device.kernels.pointee.panel)
        let panels = (outputs + panel - 1) / panel
        let byteCount = 16 * panels * taps * channels * panel * dataType.size
        block = try device.pool.allocate(byteCount)
        address = block.address
        address.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        let place = Place(panels: panels, taps: taps, channels: channels, panel: panel)
        let target = block.address
        device.workers.forRanges(of: outputs) { range in
            for output in range {
                for channel in 0..<channels {
                    for tap in 0..<taps {
                        let kernel = source + ((output * channels + channel) * taps + tap) * 9
                        let transformed = Self.transformed(kernel)
                        for index in 0..<16 {
                            let value = transformed[index]
                            if dataType == .bfloat16 {
                                target.storeBytes(
                                    of: BFloat16(value),
                                    toByteOffset: 2 * place.pair(index, output, tap, channel),
                                    as: BFloat16.self)
                            } else {
                                target.storeBytes(
                                    of: value,
                                    toByteOffset: 4 * place.single(index, output, tap, channel),
                                    as: Float.self)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where elements of a transformed weight lie.
    private struct Place {
        let panels: Int
        let taps: Int
        let channels: Int
        let panel: Int

        func single(_ place: Int, _ output: Int, _ tap: Int, _ channel: Int) -> Int {
            row(place, output, tap) * channels * panel + channel * panel + output % panel
        }

        func pair(_ place: Int, _ output: Int, _ tap: Int, _ channel: Int) -> Int {
            row(place, output, tap) * channels * panel
                + (channel / 2 * panel + output % panel) * 2 + channel % 2
        }

        private func row(_ place: Int, _ output: Int, _ tap: Int) -> Int {
            (place * panels + output / panel) * taps + tap
        }
    }

    /// G g Gᵀ of a kernel [3, 3], row-major, with G = (1 0 0; ½ ½ ½; ½ -½ ½; 0 0 1).
    ///
    /// Source: Lavin and Gray, arXiv:1509.09308, section 4.1.
    private static func transformed(_ kernel: UnsafePointer<Float>) -> InlineArray<16, Float> {
        var columns = InlineArray<12, Float>(repeating: 0)
        for column in 0..<3 {
            let (a, b, c) = (kernel[column], kernel[3 + column], kernel[6 + column])
            columns[column] = a
            columns[3 + column] = (a + b + c) / 2
            columns[6 + column] = (a - b + c) / 2
            columns[9 + column] = c
        }
        var result = InlineArray<16, Float>(repeating: 0)
        for row in 0..<4 {
            let (a, b, c) = (columns[3 * row], columns[3 * row + 1], columns[3 * row + 2])
            result[4 * row] = a
            result[4 * row + 1] = (a + b + c) / 2
            result[4 * row + 2] = (a - b + c) / 2
            result[4 * row + 3] = c
        }
        return result
    }
}

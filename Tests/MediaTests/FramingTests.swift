import Foundation
import Media
import TestSupport
import Testing

@Suite struct FramingTests {
    private struct SizeCases: Decodable {
        struct Case: Decodable {
            let height: Int
            let width: Int
            let maxArea: Int
            let result: [Int]

            private enum CodingKeys: String, CodingKey {
                case height, width, result
                case maxArea = "max_area"
            }
        }
        let divisor: Int
        let cases: [Case]
    }

    @Test func choosesTheGoldenSizes() throws {
        let path = Fixtures.path("open/goldens/gen_size.json")
        let table = try JSONDecoder().decode(
            SizeCases.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(table.divisor == FrameSize.divisor)
        #expect(table.cases.count > 40)
        for entry in table.cases {
            let size = FrameSize(height: entry.height, width: entry.width)
                .video(maxArea: entry.maxArea)
            #expect(
                size == FrameSize(height: entry.result[0], width: entry.result[1]),
                "\(entry.width)x\(entry.height) in \(entry.maxArea)")
        }
    }

    @Test func findsNoSizeForAThread() {
        #expect(FrameSize(height: 1, width: 100_000).video(maxArea: 8192) == nil)
        #expect(FrameSize(height: 100, width: 100).video(maxArea: 100) == nil)
    }

    @Test(arguments: [(64, 128), (128, 64), (64, 64), (128, 128)])
    func resizesAndCropsTheGoldenExactly(height: Int, width: Int) throws {
        let image = try goldenImage("pipeline", "image.rgb")
        let framed = image.framed(to: FrameSize(height: height, width: width))
        #expect(try framed == goldenImage("pipeline", "image.resize_crop_\(height)x\(width)"))
    }

    /// Observed error: 2.4e-7.
    @Test func resizesPosesInFloat() throws {
        let raw = try golden("pose_and_masks", "pose.raw_u8")
        let (height, width) = (raw.shape[1], raw.shape[2])
        let length = height * width * 3
        let last = raw.shape[0] - 1
        let pixels = raw.withElements(as: UInt8.self) { Array($0[last * length..<$0.count]) }
        let pose = Image(height: height, width: width, values: pixels).normalized
            .framed(to: FrameSize(height: 64, width: 128))
        let expected = try goldenFloats("pose_and_masks", "pose.pixels_frame9")
        let area = pose.height * pose.width
        var largest: Float = 0
        for index in 0..<area {
            for channel in 0..<3 {
                largest = max(
                    largest,
                    abs(pose.values[index * 3 + channel] - expected[channel * area + index]))
            }
        }
        #expect(largest < 1e-6, "\(largest)")
    }

    @Test func padsWhatIsTooSmallAlike() {
        // Resized to 64 x 67; 3 columns are cut, the odd one by halves to even.
        let wide = Framing(
            of: FrameSize(height: 64, width: 67), to: FrameSize(height: 64, width: 64))
        #expect((wide.top, wide.left) == (0, -2))
        // The shorter side becomes 384, the longer 682: 22 rows lack.
        let portrait = Framing(
            of: FrameSize(height: 1280, width: 720), to: FrameSize(height: 704, width: 384))
        #expect(portrait.resized == FrameSize(height: 682, width: 384))
        #expect((portrait.top, portrait.left) == (11, 0))
    }
}

@Suite struct ActorMaskTests {
    private func denseMasks() throws -> [[ActorMask]] {
        let tensor = try golden("pose_and_masks", "mask.dense_u8")
        let size = FrameSize(height: tensor.shape[2], width: tensor.shape[3])
        return tensor.withElements(as: UInt8.self) { values in
            (0..<tensor.shape[0]).map { actor in
                (0..<tensor.shape[1]).map { frame in
                    let start = (actor * tensor.shape[1] + frame) * size.area
                    return ActorMask(
                        size: size, values: values[start..<start + size.area].map { $0 > 0 ? 1 : 0 }
                    )
                }
            }
        }
    }

    @Test func routesTheGoldenActors() throws {
        let shape = try golden("pose_and_masks", "mask.final").shape
        let grid = FrameSize(height: shape[2], width: shape[3])
        let routing = ActorRouting(masks: try denseMasks(), frames: shape[1], grid: grid)
        #expect(try routing.cells == goldenFloats("pose_and_masks", "mask.logits"))
        #expect(try routing.dilated == goldenFloats("pose_and_masks", "mask.dilated"))
        #expect(try routing.values == goldenFloats("pose_and_masks", "mask.final"))
    }

    @Test func routesByOnePictureEach() throws {
        let shape = try golden("pose_and_masks", "mask1.final").shape
        let grid = FrameSize(height: shape[2], width: shape[3])
        let first = try denseMasks().map { [$0[0]] }
        let routing = ActorRouting(masks: first, frames: shape[1], grid: grid)
        #expect(try routing.cells == goldenFloats("pose_and_masks", "mask1.logits"))
        #expect(try routing.values == goldenFloats("pose_and_masks", "mask1.final"))
    }

    @Test func cropsAMaskAsItsPicture() {
        var picture = [UInt8](repeating: 0, count: 10 * 20 * 3)
        for y in 0..<10 { for x in 10..<20 { picture[(y * 20 + x) * 3 + 1] = 1 } }
        let mask = ActorMask(Image(height: 10, width: 20, values: picture))
        let framing = Framing(of: mask.size, to: FrameSize(height: 64, width: 64))
        let framed = mask.framed(framing)
        // The middle 64 of 128 columns, the right half of which is set.
        let row = Array(framed.values[32 * 64..<33 * 64])
        #expect(row == [UInt8](repeating: 0, count: 32) + [UInt8](repeating: 1, count: 32))
    }
}

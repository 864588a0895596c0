import Artifacts
import Foundation
import Inspection
import Media
import StreamProbe
import Tensors
import TestSupport
import Testing

@Suite struct PreviewTests {
    let folder = TemporaryFolder()

    @Test func showsFramesEvenlySpaced() throws {
        let path = folder.path("frames")
        // 31 frames, each of its own grey: 16 pictures of every second one.
        try writeFrames(to: path, blocks: 8) { frame in [UInt8(8 * frame), 0, 255] }
        let preview = try Preview(of: Subject(path: path))
        // Frames of 2 x 3 pixels, enlarged 106 times, four to a row and 4 pixels apart.
        let (height, width) = (2 * 106, 3 * 106)
        #expect(preview.sheet.height == 4 * height + 3 * 4)
        #expect(preview.sheet.width == 4 * width + 3 * 4)
        for index in 0..<16 {
            let (row, column) = index.quotientAndRemainder(dividingBy: 4)
            let (top, left) = (row * (height + 4), column * (width + 4))
            let wanted = [UInt8(8 * 2 * index), 0, 255]
            #expect(pixel(preview.sheet, top, left) == wanted)
            #expect(pixel(preview.sheet, top + height - 1, left + width - 1) == wanted)
        }
        #expect(pixel(preview.sheet, height, 0) == [0, 0, 0])
    }

    @Test func showsPicturesAsTheyAre() throws {
        let path = Fixtures.path("open/goldens/pipeline.safetensors")
        let sheet = try Preview(of: Subject(path: path), tensor: "image.rgb").sheet
        let picture = try Image(path: Fixtures.path("open/inputs/ref.png"))
        #expect((sheet.height, sheet.width) == (2 * picture.height, 2 * picture.width))
        for y in 0..<sheet.height {
            let rows = (0..<sheet.width).map { pixel(sheet, y, $0) }
            #expect(rows == (0..<sheet.width).map { pixel(picture, y / 2, $0 / 2) })
        }
        // The reference's pixels in -1...1 are those of its cropped picture.
        let pixels = try Preview(of: Subject(path: path), tensor: "ref_pixels").sheet
        let cropped = try Preview(of: Subject(path: path), tensor: "image.resize_crop_64x128").sheet
        #expect(pixels.width == 256)
        #expect(pixels == cropped)
    }

    @Test func makesLargeFramesSmaller() throws {
        let path = folder.path("a.safetensors")
        let writer = try TensorFileWriter(
            path: path,
            tensors: [TensorDescriptor(name: "frames", dataType: .uint8, shape: [1, 2, 960, 3])])
        // Grey levels 0, 60, 120, 0, 60, 120, ...
        let levels: [UInt8] = [0, 0, 0, 60, 60, 60, 120, 120, 120]
        let bytes = [[UInt8]](repeating: levels, count: 2 * 960 / 3).flatMap { $0 }
        try bytes.withUnsafeBytes { try writer.write($0, to: "frames") }
        try writer.commit()
        let sheet = try Preview(of: Subject(path: path)).sheet
        // Averages of 0, 60 and 120.
        #expect((sheet.height, sheet.width) == (1, 320))
        #expect(sheet.values.allSatisfy { $0 == 60 })
    }

    @Test func givesEqualLatentsEqualColours() throws {
        // Eight columns of one latent, then eight of another; what is not finite at the end.
        let path = folder.path("a.safetensors")
        let latents: [[Float]] = [[0, 1, 2, 3], [5, 2, 1, 0]]
        var values: [Float] = (0..<4 * 2 * 16).map { index in
            latents[index % 16 / 8][index / 32]
        }
        // Channel 2, frame 1, column 15.
        values[2 * 32 + 16 + 15] = .nan
        try writeFloats(["latents": ([4, 2, 1, 16], values)], to: path)
        let sheet = try Preview(of: Subject(path: path)).sheet
        #expect((sheet.height, sheet.width) == (20, 2 * 320 + 4))
        let (first, second) = (pixel(sheet, 0, 0), pixel(sheet, 0, 319))
        #expect(first != second)
        for column in 0..<320 {
            let (left, right) = (pixel(sheet, 19, column), pixel(sheet, 10, column + 324))
            #expect(left == (column < 160 ? first : second))
            #expect(right == (column >= 300 ? [255, 0, 255] : left))
        }
        // They differ in one direction alone, which is brightness, the second being larger where they
        // differ most. Of 31 latents 16 are the first: it lies sqrt(15 / 16) standard deviations
        // below the mean, the second sqrt(16 / 15) above; 51 levels are one.
        #expect(first == [78, 78, 78])
        #expect(second == [180, 180, 180])
    }

    @Test func showsLatentsOfAStreamAndClips() throws {
        let path = folder.path("latents")
        try SyntheticStream(blocks: 2).write(to: path)
        let sheet = try Preview(of: Subject(path: path)).sheet
        // Six frames of 2 x 8.
        #expect((sheet.height, sheet.width) == (2 * 80 + 4, 4 * 320 + 3 * 4))
        let golden = Fixtures.path("open/goldens/pipeline.safetensors")
        let clips = try Preview(of: Subject(path: golden), tensor: "latents").sheet
        #expect((clips.height, clips.width) == (4 * 160 + 3 * 4, 4 * 320 + 3 * 4))
    }

    @Test func isWrittenAsPNG() throws {
        let path = folder.path("latents")
        try SyntheticStream(blocks: 1).write(to: path)
        let sheet = try Preview(of: Subject(path: path)).sheet
        try sheet.writePNG(to: folder.path("sheet.png"))
        #expect(try Image(path: folder.path("sheet.png")) == sheet)
    }

    @Test func refusesWhatIsNoPicture() throws {
        let path = Fixtures.path("readers/every-type.safetensors")
        #expect(
            message { try Preview(of: Subject(path: path)) }
                == "'\(path)': there are no latents and no frames to be seen in it")
        #expect(
            message { try Preview(of: Subject(path: path), tensor: "int8") }
                == "'\(path)': tensor 'int8' is no picture")
    }

    @Test func refusesABlockThatIsNotWhatItsStreamDeclares() throws {
        let path = folder.path("latents")
        try SyntheticStream(blocks: 1).write(to: path)
        let block = StreamFolder(path: path).path(ofBlock: 0)
        try FileManager.default.removeItem(atPath: block)
        try writeFloats(["latents": ([16, 1, 1, 1], .init(repeating: 0, count: 16))], to: block)
        #expect(
            message { try Preview(of: Subject(path: path)) }?.contains("does not declare") == true)
    }

    /// A pixel's red, green and blue.
    private func pixel(_ image: Image, _ row: Int, _ column: Int) -> [UInt8] {
        Array(image.values[(row * image.width + column) * 3..<(row * image.width + column + 1) * 3])
    }
}

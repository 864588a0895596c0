import Foundation
import Glibc
import Media
import TestSupport
import Testing

@Suite struct Y4MTests {
    let folder = TemporaryFolder()

    /// Writes frames to a file and reads them back.
    private func roundTrip(_ images: [Image], bits: Int) throws -> [Image] {
        let path = folder.path("stream.y4m")
        let size = FrameSize(height: images[0].height, width: images[0].width)
        let output = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        let header = Y4MHeader(size: size, frameRate: FrameRate(25), bits: bits)
        let writer = Y4MWriter(header, descriptor: output, name: "stdout")
        for image in images { try image.values.withUnsafeBytes { try writer.append($0) } }
        close(output)
        let input = open(path, O_RDONLY)
        defer { close(input) }
        let reader = try Y4MReader(descriptor: input, name: "stdin")
        #expect(reader.header == header)
        var decoded: [Image] = []
        while let image = try reader.next() { decoded.append(image) }
        return decoded
    }

    /// All 16,777,216 colours, 64 planes of 512 x 512.
    private func everyColour(_ check: (Image) throws -> Void) throws {
        for plane in 0..<64 {
            let values = (0..<512 * 512).flatMap { pixel -> [UInt8] in
                let colour = plane << 18 | pixel
                return [UInt8(colour >> 16), UInt8(colour >> 8 & 255), UInt8(colour & 255)]
            }
            try check(Image(height: 512, width: 512, values: values))
        }
    }

    @Test func carriesEveryColourExactly() throws {
        try everyColour { image in
            let decoded = try roundTrip([image], bits: 10)
            #expect(decoded == [image])
        }
    }

    /// Observed: 2.
    @Test func carriesColoursIn8BitsNearly() throws {
        var largest = 0
        try everyColour { image in
            largest = max(largest, difference(try roundTrip([image], bits: 8)[0], image).largest)
        }
        #expect(largest == 2)
    }

    @Test func carriesOddSizesAndManyFrames() throws {
        let images = (0..<20).map { plain(7, 5, (UInt8($0), UInt8(255 - $0), 77)) }
        #expect(try roundTrip(images, bits: 10) == images)
    }

    private func messageReading(_ text: String, frames: Int = 1) throws -> String {
        let path = folder.path("bad.y4m")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let input = open(path, O_RDONLY)
        defer { close(input) }
        return message {
            let reader = try Y4MReader(descriptor: input, name: "stdin")
            for _ in 0..<frames { _ = try reader.next() }
        }
    }

    @Test(arguments: [
        ("", "the stream is empty"),
        ("not a stream", "the stream breaks off"),
        ("RIFF something\n", "not a yuv4mpeg stream"),
        ("YUV4MPEG2 W4 F25:1 C444\n", "the yuv4mpeg stream has no size, or a wrong one"),
        ("YUV4MPEG2 W4 H99999999999999 C444\n", "the yuv4mpeg stream has no size, or a wrong one"),
        ("YUV4MPEG2 W4 H4 F25:0 C444\n", "the yuv4mpeg stream has no frame rate, or a wrong one"),
        ("YUV4MPEG2 W4 H4 F25:1\n", "yuv4mpeg of chroma '420jpeg' is not read, 444 and 444p10 are"),
        ("YUV4MPEG2 W4 H4 F25:1 It C444\n", "interlaced yuv4mpeg streams are not read"),
        (
            "YUV4MPEG2 W4 H4 F25:1 C444 XCOLORRANGE=FULL\n",
            "full-range yuv4mpeg streams are not read"
        ),
        ("YUV4MPEG2 W4 H4 F25:1 C444\nFRAME\nabc", "the stream breaks off in frame 0"),
        ("YUV4MPEG2 W4 H4 F25:1 C444\nPICTURE\n", "frame 0 of the stream is damaged"),
    ])
    func refusesForeignStreams(text: String, reason: String) throws {
        #expect(try messageReading(text) == "cannot read 'stdin': \(reason)")
    }

    @Test func noticesAReaderThatWentAway() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        signal(SIGPIPE, SIG_IGN)
        close(ends[0])
        defer { close(ends[1]) }
        let header = Y4MHeader(size: FrameSize(height: 4, width: 4), frameRate: FrameRate(25))
        let writer = Y4MWriter(header, descriptor: ends[1], name: "stdout")
        let image = plain(4, 4, (1, 2, 3))
        #expect(
            message { try image.values.withUnsafeBytes { try writer.append($0) } }
                == "cannot write 'stdout': Broken pipe")
    }
}

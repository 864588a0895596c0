import Denoiser
import Foundation
import TestSupport
import Testing

/// The noise of a seed against what PyTorch's `randn` gave on a card of 132 multiprocessors.
@Suite struct PhiloxRandomTests {
    struct Record: Decodable {
        struct Case: Decodable {
            let shape: [Int]
            let seed: UInt64
            let values: [String: Float]
            let mean: Double
            let std: Double
        }
        let cases: [Case]
    }

    @Test func matchesPyTorch() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("noise.json")))
        let record = try JSONDecoder().decode(Record.self, from: data)
        #expect(record.cases.count == 9)
        for record in record.cases {
            let count = record.shape.reduce(1, *)
            let normals = PhiloxRandom(seed: record.seed).normals(
                count: count, multiprocessors: 132)
            for (index, value) in record.values {
                let index = try #require(Int(index))
                // Observed at most 3e-6.
                #expect(abs(normals[index] - value) <= 1e-5, "\(record.shape) [\(index)]")
            }
            let mean = normals.reduce(0.0) { $0 + Double($1) } / Double(count)
            #expect(abs(mean - record.mean) < 1e-6)
        }
    }

    @Test func philoxKnownAnswer() {
        // The known answers of the authors' Random123 1.14, `philox4x32 10`.
        let zero = PhiloxRandom(seed: 0).words((0, 0, 0, 0))
        #expect(
            [zero.0, zero.1, zero.2, zero.3] == [
                0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8,
            ])
        let ones = PhiloxRandom(seed: .max).words((.max, .max, .max, .max))
        #expect(
            [ones.0, ones.1, ones.2, ones.3] == [
                0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd,
            ])
    }

    @Test func sinkDistanceIsUniformAndKeyed() {
        let generator = PhiloxRandom(seed: 420)
        var counts = [Int: Int]()
        for clip in 0..<200 {
            for block in 0..<4 {
                for step in 0..<4 {
                    counts[
                        generator.sinkDistance(clip: clip, block: block, step: step), default: 0] +=
                        1
                }
            }
        }
        #expect(Set(counts.keys) == Set(4...30))
        // 3200 draws over 27 values: 118 on average, a deviation of 11.
        #expect(counts.values.allSatisfy { (70...170).contains($0) })
        let other = PhiloxRandom(seed: 421)
        #expect(
            (0..<50).contains { clip in
                generator.sinkDistance(clip: clip, block: 0, step: 0)
                    != other.sinkDistance(clip: clip, block: 0, step: 0)
            })
    }
}

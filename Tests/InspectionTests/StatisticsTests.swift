import Checkpoints
import Foundation
import Inspection
import Tensors
import TestSupport
import Testing

@Suite struct StatisticsTests {
    @Test func areExactOverManyPieces() throws {
        // Whole numbers from -300 to 699, so that sums of any order are exact.
        let count = 300_000
        let values = (0..<count).map { Float($0 % 1000 - 300) }
        let statistics = Statistics(of: view(values, .float32))
        #expect(statistics.count == count)
        #expect(statistics.minimum == -300)
        #expect(statistics.maximum == 699)
        #expect(statistics.zeros == 300)
        // The mean of n numbers in a row, and their variance (n^2 - 1) / 12.
        let variance = Double(1000 * 1000 - 1) / 12
        #expect(abs(try #require(statistics.mean) - 199.5) < 1e-11)
        // Seen: 3e-13.
        #expect(abs(try #require(statistics.deviation) - variance.squareRoot()) < 1e-11)
    }

    @Test func keepSmallDeviationsBesideALargeMean() throws {
        let values = (0..<200_000).map { 1e9 + Double($0 % 2) }
        let statistics = Statistics(of: view(values, .float64))
        // Squares minus squared means would leave nothing of this.
        #expect(abs(try #require(statistics.deviation) - 0.5) < 1e-9)
    }

    @Test func leaveOutWhatIsNotFinite() {
        var values = [Float](repeating: 2, count: 100_000)
        values[70_000] = .nan
        values[70_001] = .infinity
        values[99_999] = -.infinity
        let statistics = Statistics(of: view(values, .float32))
        #expect(statistics.nans == 1)
        #expect(statistics.infinities == 2)
        #expect(statistics.firstNonFinite == 70_000)
        #expect(statistics.mean == 2)
        #expect(statistics.maximum == 2)
        #expect(statistics.deviation == 0)
    }

    @Test(arguments: [[], [Float.nan, -.infinity]])
    func areUnknownWithoutNumbers(values: [Float]) {
        let statistics = Statistics(of: view(values, .float32))
        #expect(statistics.count == values.count)
        #expect(statistics.minimum == nil)
        #expect(statistics.maximum == nil)
        #expect(statistics.mean == nil)
        #expect(statistics.deviation == nil)
    }

    @Test(arguments: ["every-type.safetensors", "every-type.pth"])
    func readEveryType(file: String) throws {
        let values = try numbersOfEveryType()
        let checkpoint = try openCheckpoint(at: Fixtures.path("readers/\(file)"))
        for tensor in checkpoint.tensors {
            let statistics = Statistics(of: try checkpoint.tensor(tensor.name))
            let wanted = try #require(values[tensor.name])
            #expect(statistics.minimum == wanted.min(), "\(tensor.name)")
            #expect(statistics.maximum == wanted.max(), "\(tensor.name)")
            #expect(statistics.mean == wanted.reduce(0, +) / Double(wanted.count), "\(tensor.name)")
            #expect(statistics.zeros == wanted.count { $0 == 0 }, "\(tensor.name)")
        }
    }

    /// What Python reads in the fixtures, by name.
    private func numbersOfEveryType() throws -> [String: [Double]] {
        let table = try String(
            contentsOfFile: Fixtures.path("readers/every-type.tsv"), encoding: .utf8)
        let rows = table.split(separator: "\n").map { $0.split(separator: "\t") }
        return Dictionary(
            uniqueKeysWithValues: rows.map {
                (String($0[0]), $0[2].split(separator: ",").compactMap { Double($0) })
            })
    }
}

@Suite struct DifferenceTests {
    @Test func isRelativeToTheOther() {
        let difference = Difference(of: view([3, 4.5] as [Float], .float32), from: floats(3, 4))
        #expect(difference.relativeError == 0.1)
        #expect(difference.maximum == 0.5)
    }

    @Test func isNothingBetweenEqualTensors() {
        for tensor in [floats(), floats(0, -0), floats(.nan, 1), floats(.infinity, -.infinity)] {
            let difference = Difference(of: tensor, from: tensor)
            #expect(difference.relativeError == 0)
            #expect(difference.maximum == 0)
        }
    }

    /// Pairs of which one number is not finite, or both are and differ.
    private static let infinitelyFar: [[[Float]]] = [
        [[.nan], [1]], [[1], [.nan]], [[.infinity], [-.infinity]], [[.infinity], [1]],
        [[1, .infinity], [1, 2]], [[.nan, 1], [.infinity, 1]],
    ]

    @Test(arguments: infinitelyFar)
    func isInfiniteWhereOneIsNotFinite(pair: [[Float]]) {
        let difference = Difference(of: view(pair[0], .float32), from: view(pair[1], .float32))
        #expect(difference.relativeError == .infinity)
        #expect(difference.maximum == .infinity)
    }

    @Test func isInfiniteFromZero() {
        #expect(Difference(of: floats(1), from: floats(0)).relativeError == .infinity)
        #expect(Difference(of: floats(0), from: floats(1)).relativeError == 1)
    }

    @Test func crossesTypesAndPieces() {
        let values = (0..<100_000).map { Float($0 % 200) }
        let narrow = view(values.map(BFloat16.init), .bfloat16)
        #expect(Difference(of: narrow, from: view(values, .float32)).relativeError == 0)
        var other = values
        other[99_999] += 7
        let difference = Difference(of: view(other, .float32), from: narrow)
        #expect(difference.maximum == 7)
        let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(difference.relativeError - 7 / norm) < 1e-12)
    }

    private func floats(_ values: Float...) -> TensorView { view(values, .float32) }
}

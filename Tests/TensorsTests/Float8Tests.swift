import Tensors
import Testing

/// Rounding to eight bits.
@Suite struct Float8Tests {
    @Test func roundsToTheNearestOfAll() {
        let all = (0...UInt8.max).map { Float8E4M3(bitPattern: $0) }.filter { !Float($0).isNaN }
        for number in all {
            #expect(Float(Float8E4M3(Float(number))) == Float(number))
        }
        let positive = all.map { Float($0) }.filter { $0 >= 0 && $0.sign == .plus }.sorted()
        for (lower, upper) in zip(positive, positive.dropFirst()) {
            let middle = (lower + upper) / 2
            #expect(Float(Float8E4M3(middle.nextDown)) == lower)
            #expect(Float(Float8E4M3(middle.nextUp)) == upper)
            #expect(Float8E4M3(middle).bitPattern % 2 == 0)
            #expect(Float(Float8E4M3(-middle.nextUp)) == -upper)
        }
        #expect(Float(Float8E4M3(1e6)) == 448 && Float(Float8E4M3(-.infinity)) == -448)
        #expect(Float(Float8E4M3(.nan)).isNaN)
    }
}

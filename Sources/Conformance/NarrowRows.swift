import Compute
import Foundation
import Tensors

extension DataType {
    /// The largest number of a type of 8 bits. Traps on others.
    var largestNumber: Double {
        switch self {
        case .int8: 127
        case .float8E4M3: 448
        default: preconditionFailure("\(self) has no scales")
        }
    }

    /// From a number to the next larger in magnitude: 1, or 2^-3 of the power of two below a
    /// float8_e4m3, which has no powers below 2^-6.
    func step(at number: Double) -> Double {
        guard self == .float8E4M3 else { return 1 }
        let exponent = number == 0 ? -6 : max(-6, Int(number.exponent))
        return exp2(Double(exponent - 3))
    }

    /// The nearest number of a type of 8 bits, ties to even; the largest for what is beyond it.
    func roundedToNumber(_ value: Double) -> Double {
        let step = step(at: value)
        let number = (value / step).rounded(.toNearestOrEven) * step
        return max(-largestNumber, min(largestNumber, number))
    }

    /// The bits of a number of a type of 8 bits.
    func bits(of number: Double) -> UInt8 {
        self == .int8
            ? UInt8(bitPattern: Int8(number)) : Float8E4M3(Float(number)).bitPattern
    }
}

/// Rows rounded to 8 bits in float64, as the page of `Device` says: the largest element of a row
/// becomes the largest number of the type. Scales are float32.
struct NarrowRows {
    /// The rows' numbers.
    let numbers: [Double]
    /// One for each row; 1 for a row of zeros.
    let scales: [Double]

    /// The rows of `values`, each of `width`.
    init(_ values: [Double], width: Int, _ dataType: DataType) {
        var (numbers, scales): ([Double], [Double]) = ([], [])
        for start in stride(from: 0, to: values.count, by: width) {
            let row = values[start..<start + width]
            let largest = row.reduce(0) { max($0, abs($1)) }
            let scale = largest == 0 ? 1 : Double(Float(largest / dataType.largestNumber))
            numbers += row.map { dataType.roundedToNumber($0 / scale) }
            scales.append(scale)
        }
        self.numbers = numbers
        self.scales = scales
    }

    /// Numbers times scales.
    var values: [Double] {
        numbers.indices.map { numbers[$0] * scales[$0 * scales.count / numbers.count] }
    }
}

/// A bfloat16: the upper half of a float32.
public struct BFloat16: BitwiseCopyable, Hashable, Sendable {
    /// Sign, 8 exponent bits, 7 fraction bits.
    public var bitPattern: UInt16

    /// The number with these bits.
    @inlinable
    public init(bitPattern: UInt16) {
        self.bitPattern = bitPattern
    }

    /// The nearest bfloat16, ties to even; NaN stays NaN.
    @inlinable
    public init(_ value: Float) {
        let bits = value.bitPattern
        // Adding just under half of the last kept place, plus that place's bit, rounds ties to even.
        let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
        bitPattern = UInt16(truncatingIfNeeded: value.isNaN ? bits >> 16 | 0x40 : rounded)
    }
}

extension Float {
    /// The same number.
    @inlinable
    public init(_ value: BFloat16) {
        self.init(bitPattern: UInt32(value.bitPattern) << 16)
    }
}

/// An 8-bit float with 4 exponent and 3 fraction bits: no infinities, largest number 448.
///
/// Source: "FP8 Formats for Deep Learning", arXiv:2209.05433, table 1.
public struct Float8E4M3: BitwiseCopyable, Hashable, Sendable {
    /// Sign, 4 exponent bits with bias 7, 3 fraction bits; exponent and fraction all ones is NaN.
    public var bitPattern: UInt8

    /// The largest number.
    public static let greatestFiniteMagnitude: Float = 448

    /// The number with these bits.
    public init(bitPattern: UInt8) {
        self.bitPattern = bitPattern
    }

    /// The nearest number, ties to even; what is larger than 448 becomes 448, NaN stays NaN.
    @inlinable
    public init(_ value: Float) {
        let sign = UInt8(truncatingIfNeeded: value.bitPattern >> 24) & 0x80
        let magnitude = value.magnitude
        if value.isNaN {
            bitPattern = sign | 0x7F
        } else if magnitude >= 448 {
            bitPattern = sign | 0x7E
        } else if magnitude < 0x1p-6 {
            // Subnormal: multiples of 2^-9, the eighth of which is the first normal number's pattern.
            bitPattern = sign | UInt8((magnitude * 512).rounded(.toNearestOrEven))
        } else {
            // Adding just under half of the last kept place, plus that place's bit, rounds ties to even.
            let bits = magnitude.bitPattern
            let rounded = (bits &+ 0x7FFFF &+ (bits >> 20 & 1)) >> 20
            // The exponent's bias is 127 there and 7 here.
            bitPattern = sign | UInt8(truncatingIfNeeded: rounded &- (120 << 3))
        }
    }
}

extension Float {
    /// The same number.
    public init(_ value: Float8E4M3) {
        let exponent = Int(value.bitPattern >> 3 & 15)
        let fraction = Float(value.bitPattern & 7)
        let magnitude: Float =
            switch (exponent, fraction) {
            case (15, 7): .nan
            case (0, _): fraction / 512
            default: Float(sign: .plus, exponent: exponent - 7, significand: 1 + fraction / 8)
            }
        self = value.bitPattern & 0x80 == 0 ? magnitude : -magnitude
    }
}

/// An 8-bit float with 5 exponent and 2 fraction bits: a float16's upper half.
///
/// Source: "FP8 Formats for Deep Learning", arXiv:2209.05433, table 1.
public struct Float8E5M2: BitwiseCopyable, Hashable, Sendable {
    /// Sign, 5 exponent bits with bias 15, 2 fraction bits.
    public var bitPattern: UInt8

    /// The number with these bits.
    public init(bitPattern: UInt8) {
        self.bitPattern = bitPattern
    }
}

extension Float {
    /// The same number.
    public init(_ value: Float8E5M2) {
        self.init(Float16(bitPattern: UInt16(value.bitPattern) << 8))
    }
}

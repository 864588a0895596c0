extension JSONScanner {
    /// Consumes a finite number, read as serde_json reads it: the digits as an integer, rounded,
    /// then scaled by a power of ten, rounded again.
    ///
    /// That is up to one unit in the last place off, and must be so: scores of equal sum (`d`, `dd`
    /// against `dd`, `d`) are told apart by their last bits: other roundings give other ids.
    /// <https://github.com/serde-rs/json/blob/v1.0.108/src/de.rs>
    mutating func number() throws -> Double {
        skipBlanks()
        let isNegative = skipHere("-")
        var decimal = Decimal()
        guard readDigits({ decimal.append($0) }) else {
            throw isNegative ? failure("is a malformed number") : mismatch("a number")
        }
        if skipHere(".") {
            guard readDigits({ decimal.appendFraction($0) }) else {
                throw failure("is a malformed number")
            }
        }
        try readExponent(of: &decimal)
        let magnitude = decimal.value
        guard magnitude.isFinite else { throw failure("is too large a number") }
        return isNegative ? -magnitude : magnitude
    }

    /// Consumes `e` and what follows, if it comes next.
    private mutating func readExponent(of decimal: inout Decimal) throws {
        guard skipHere("e") || skipHere("E") else { return }
        let isNegative = skipHere("-")
        if !isNegative { _ = skipHere("+") }
        var exponent = 0
        // Past any exponent that makes a difference, digits are read and forgotten.
        let limit = 1_000_000
        guard readDigits({ exponent = min(exponent * 10 + Int($0), limit) }) else {
            throw failure("is a malformed number")
        }
        decimal.exponent += isNegative ? -exponent : exponent
    }

    /// Consumes decimal digits; false if there is none.
    private mutating func readDigits(_ body: (UInt8) -> Void) -> Bool {
        let start = offset
        while let byte = peek(), case let digit = byte &- UInt8(ascii: "0"), digit <= 9 {
            body(digit)
            offset += 1
        }
        return offset > start
    }

    /// significand x 10^exponent.
    private struct Decimal {
        /// All digits that fit.
        var significand: UInt64 = 0
        /// The power of ten.
        var exponent = 0
        /// Whether a digit did not fit; none after it counts, even if it would.
        private var isFull = false

        /// Zero.
        init() {}

        /// Appends a digit before the point; of digits that do not fit, only the place counts.
        mutating func append(_ digit: UInt8) {
            if !appendIfItFits(digit) { exponent += 1 }
        }

        /// Appends a digit after the point; those that do not fit are dropped.
        mutating func appendFraction(_ digit: UInt8) {
            if appendIfItFits(digit) { exponent -= 1 }
        }

        /// Appends a digit to the significand; false if that is full.
        private mutating func appendIfItFits(_ digit: UInt8) -> Bool {
            let (shifted, overflow1) = significand.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = shifted.addingReportingOverflow(UInt64(digit))
            isFull = isFull || overflow1 || overflow2
            if !isFull { significand = sum }
            return !isFull
        }

        /// The nearest double but for two roundings.
        var value: Double {
            var value = Double(significand)
            var exponent = exponent
            let largest = Self.powersOfTen.count - 1
            while exponent < -largest, value > 0 {
                value /= Self.powersOfTen[largest]
                exponent += largest
            }
            guard value > 0 else { return 0 }
            guard exponent <= largest else { return .infinity }
            return exponent < 0
                ? value / Self.powersOfTen[-exponent] : value * Self.powersOfTen[exponent]
        }

        /// 10^0 ... 10^308, each the nearest double.
        private static let powersOfTen = (0...308).compactMap { Double("1e\($0)") }
    }
}

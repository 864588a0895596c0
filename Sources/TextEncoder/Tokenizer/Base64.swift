/// Decodes padded base64 (<https://www.rfc-editor.org/rfc/rfc4648#section-4>); nil if malformed.
func decodeBase64(_ text: String) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count % 4 == 0 else { return nil }
    let padding = UInt8(ascii: "=")
    let digits = characters.prefix { $0 != padding }
    let missing = characters.count - digits.count
    guard missing <= 2, characters.suffix(missing).allSatisfy({ $0 == padding }) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 4 * 3)
    var bits: UInt32 = 0
    for (position, character) in digits.enumerated() {
        guard let value = base64Value(character) else { return nil }
        bits = bits << 6 | value
        let bitCount = (position % 4 + 1) * 6 % 8
        if position % 4 > 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount))) }
    }
    return bytes
}

/// The six bits of a base64 digit.
private func base64Value(_ character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}

// The standard library normalises without the 40 MB of Unicode data that Foundation brings, and
// more exactly; no public name for it exists yet.
@_spi(_Unicode) import Swift

/// Unicode normalization form C (<https://www.unicode.org/reports/tr15/>).
func canonicallyComposed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    // Below the first combining mark every character is its own composed form.
    guard text.contains(where: { $0 >= "\u{300}" }) else { return text }
    var view = String.UnicodeScalarView()
    for scalar in text {
        // The library takes these, which are never recomposed, for starters and fails to sort the
        // marks around them (seen with Swift 6.3.1).
        switch scalar {
        case "\u{F73}": view.append(contentsOf: ["\u{F71}", "\u{F72}"])
        case "\u{F75}": view.append(contentsOf: ["\u{F71}", "\u{F74}"])
        case "\u{F81}": view.append(contentsOf: ["\u{F71}", "\u{F80}"])
        default: view.append(scalar)
        }
    }
    return Array(String(view)._nfc)
}

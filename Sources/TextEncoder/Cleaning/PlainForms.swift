/// Plain characters for those that encodings and word processors made of them.
enum PlainForms {
    /// What bytes 80...9F mean in windows-1252; the five it does not assign stand for themselves.
    private static let windows1252Upper = Array(
        ("€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}" + "\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ").unicodeScalars)

    /// A C1 control read as windows-1252, which is what was almost always meant.
    static func windows1252(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard case 0x80...0x9F = scalar.value else { return scalar }
        return windows1252Upper[Int(scalar.value - 0x80)]
    }

    /// The letters of a Latin ligature or digraph.
    static func ligature(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x132: "IJ"
        case 0x133: "ij"
        case 0x149: "\u{2BC}n"
        case 0x1C4...0x1CC: digraphs[Int(scalar.value - 0x1C4)]
        case 0x1F1...0x1F3: digraphs[Int(scalar.value - 0x1F1) + 9]
        case 0xFB00...0xFB06: typographicLigatures[Int(scalar.value - 0xFB00)]
        default: nil
        }
    }

    /// U+01C4...01CC, then U+01F1...01F3.
    private static let digraphs = [
        "DŽ", "Dž", "dž", "LJ", "Lj", "lj", "NJ", "Nj", "nj", "DZ", "Dz", "dz",
    ]

    /// U+FB00...FB06.
    private static let typographicLigatures = ["ff", "fi", "fl", "ffi", "ffl", "ſt", "st"]

    /// The ordinary form of a full-width or half-width character: its compatibility (NFKC) form.
    static func standardWidth(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x3000: return " "
        case 0xFF01...0xFF5E:
            return Unicode.Scalar(scalar.value - 0xFF01 + 0x21).map { String($0) }
        case 0xFFE3: return " \u{304}"
        case 0xFF5F...0xFFEE:
            let standard = standardWidths[Int(scalar.value - 0xFF5F)]
            return standard == scalar ? nil : String(standard)
        default: return nil
        }
    }

    /// U+FF5F...FFEE in hexadecimal; unassigned ones and U+FFE3, which becomes two, as they are.
    private static let standardWidths: [Unicode.Scalar] = """
        2985 2986 3002 300C 300D 3001 30FB 30F2 30A1 30A3 30A5 30A7 30A9 30E3 30E5 30E7 30C3 \
        30FC 30A2 30A4 30A6 30A8 30AA 30AB 30AD 30AF 30B1 30B3 30B5 30B7 30B9 30BB 30BD 30BF \
        30C1 30C4 30C6 30C8 30CA 30CB 30CC 30CD 30CE 30CF 30D2 30D5 30D8 30DB 30DE 30DF 30E0 \
        30E1 30E2 30E4 30E6 30E8 30E9 30EA 30EB 30EC 30ED 30EF 30F3 3099 309A 1160 1100 1101 \
        11AA 1102 11AC 11AD 1103 1104 1105 11B0 11B1 11B2 11B3 11B4 11B5 111A 1106 1107 1108 \
        1121 1109 110A 110B 110C 110D 110E 110F 1110 1111 1112 FFBF FFC0 FFC1 1161 1162 1163 \
        1164 1165 1166 FFC8 FFC9 1167 1168 1169 116A 116B 116C FFD0 FFD1 116D 116E 116F 1170 \
        1171 1172 FFD8 FFD9 1173 1174 1175 FFDD FFDE FFDF A2 A3 AC FFE3 A6 A5 20A9 FFE7 2502 \
        2190 2191 2192 2193 25A0 25CB
        """.split(separator: " ").compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }

    /// The straight form of a curly quotation mark or apostrophe.
    static func straightQuote(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x201C...0x201F: "\""
        case 0x2018...0x201B, 0x2BC: "'"
        default: scalar
        }
    }
}

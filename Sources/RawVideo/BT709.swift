/// The matrix between RGB and limited-range Y'CbCr of BT.709, in fixed point.
///
/// With n bits, Y' takes 219 x 2^(n-8) steps from 16 x 2^(n-8), Cb and Cr 224 x 2^(n-8) steps around
/// 2^(n-1). Source: ITU-R BT.709-6, items 3.2 to 3.5 (0.2126, 0.0722) and 4.6 (levels).
///
/// With 10 bits the way to Y'CbCr and back gives every 8-bit colour unchanged; with 8 bits it is up
/// to 2 grey levels away (both tested with all 16,777,216 colours).
package struct BT709 {
    /// Bits of a Y'CbCr value.
    package let bits: Int

    private let luma: (Int32, Int32, Int32)
    private let blue: (Int32, Int32, Int32)
    private let red: (Int32, Int32, Int32)
    private let back: (luma: Int32, redToR: Int32, blueToG: Int32, redToG: Int32, blueToB: Int32)

    private static let fraction: Int32 = 14
    private static let half: Int32 = 1 << (fraction - 1)
    private static let kr = 0.2126
    private static let kb = 0.0722

    /// Y' of black.
    var black: Int32 { 16 << Int32(bits - 8) }
    /// Cb and Cr of grey.
    var grey: Int32 { 128 << Int32(bits - 8) }

    /// The matrix for values of 8 to 10 bits.
    package init(bits: Int) {
        precondition((8...10).contains(bits))
        self.bits = bits
        let (kr, kb) = (Self.kr, Self.kb)
        let depth = Double(1 << (bits - 8))
        func fixed(_ value: Double) -> Int32 {
            Int32((value * Double(1 << Self.fraction)).rounded())
        }
        let lumaScale = 219 * depth / 255
        let chromaScale = 224 * depth / 255
        // The last of each is what the sum lacks, so that grey has exactly its luma and no chroma.
        luma.0 = fixed(kr * lumaScale)
        luma.2 = fixed(kb * lumaScale)
        luma.1 = fixed(lumaScale) - luma.0 - luma.2
        blue.0 = fixed(-kr / (2 * (1 - kb)) * chromaScale)
        blue.2 = fixed(0.5 * chromaScale)
        blue.1 = -blue.0 - blue.2
        red.0 = fixed(0.5 * chromaScale)
        red.2 = fixed(-kb / (2 * (1 - kr)) * chromaScale)
        red.1 = -red.0 - red.2
        let kg = 1 - kr - kb
        back = (
            fixed(1 / lumaScale), fixed(2 * (1 - kr) / chromaScale),
            fixed(-2 * (1 - kb) * kb / kg / chromaScale),
            fixed(-2 * (1 - kr) * kr / kg / chromaScale), fixed(2 * (1 - kb) / chromaScale)
        )
    }

    /// Y' of a colour.
    @inline(__always)
    func luma(_ r: Int32, _ g: Int32, _ b: Int32) -> Int32 {
        black + (luma.0 &* r &+ luma.1 &* g &+ luma.2 &* b &+ Self.half) >> Self.fraction
    }

    /// Cb and Cr of a colour that is the sum of 2^`shift` colours, 3 at most.
    @inline(__always)
    func chroma(_ r: Int32, _ g: Int32, _ b: Int32, shift: Int32 = 0) -> (cb: Int32, cr: Int32) {
        let half = Self.half << shift
        let fraction = Self.fraction + shift
        return (
            grey + (blue.0 &* r &+ blue.1 &* g &+ blue.2 &* b &+ half) >> fraction,
            grey + (red.0 &* r &+ red.1 &* g &+ red.2 &* b &+ half) >> fraction
        )
    }

    /// The colour of Y', Cb and Cr, each channel 0...255.
    @inline(__always)
    func rgb(_ y: Int32, _ cb: Int32, _ cr: Int32) -> (UInt8, UInt8, UInt8) {
        let luma = back.luma &* (y - black) &+ Self.half
        let cb = cb - grey
        let cr = cr - grey
        return (
            UInt8(clamping: (luma &+ back.redToR &* cr) >> Self.fraction),
            UInt8(clamping: (luma &+ back.blueToG &* cb &+ back.redToG &* cr) >> Self.fraction),
            UInt8(clamping: (luma &+ back.blueToB &* cb) >> Self.fraction)
        )
    }
}

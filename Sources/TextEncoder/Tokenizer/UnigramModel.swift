/// The Unigram language model: splits a word into the pieces that are likeliest together.
///
/// Kudo, "Subword Regularization" (<https://arxiv.org/abs/1804.10959>), section 3.1; ties, unknowns
/// and their fusing as in
/// <https://github.com/huggingface/tokenizers/blob/v0.15.2/tokenizers/src/models/unigram/model.rs>.
struct UnigramModel {
    /// The vocabulary.
    let pieces: PieceTable
    /// The id of what no piece covers.
    let unknownID: Int
    /// The score of one unknown character.
    private let unknownScore: Double

    /// A model of an indexed vocabulary.
    init(pieces: PieceTable, unknownID: Int) {
        let penalty = 10.0
        self.pieces = pieces
        self.unknownID = unknownID
        unknownScore = (pieces.scores.min() ?? 0) - penalty
    }

    /// The best way found so far to reach a place in the word.
    private struct Arrival {
        var score = 0.0
        /// Where the last piece starts; nil if the place has not been reached.
        var start: Int?
        /// The last piece.
        var id = 0
    }

    /// Appends the ids of the best segmentation of `word`, which is valid UTF-8. Work grows with
    /// the word's length times that of the longest piece.
    func segment(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
        var arrivals = [Arrival](repeating: Arrival(), count: word.count + 1)
        var start = 0
        while start < word.count {
            let score = arrivals[start].score
            let characterLength = Self.characterLength(word[start])
            var hasCharacter = false
            pieces.forEachPrefix(of: UnsafeBufferPointer(rebasing: word[start...])) { length, id in
                let total = score + pieces.scores[id]
                offer(Arrival(score: total, start: start, id: id), to: &arrivals[start + length])
                hasCharacter = hasCharacter || length == characterLength
            }
            if !hasCharacter {
                offer(
                    Arrival(score: score + unknownScore, start: start, id: unknownID),
                    to: &arrivals[start + characterLength])
            }
            start += characterLength
        }
        appendPath(through: arrivals, into: &ids)
    }

    /// Keeps the better arrival; of equals, the first.
    private func offer(_ candidate: Arrival, to best: inout Arrival) {
        if best.start == nil || candidate.score > best.score { best = candidate }
    }

    /// Follows the arrivals back from the end of the word and appends their ids in reading order,
    /// consecutive unknowns as one.
    private func appendPath(through arrivals: [Arrival], into ids: inout [Int32]) {
        let first = ids.count
        var end = arrivals.count - 1
        while end > 0, let start = arrivals[end].start {
            let id = arrivals[end].id
            let repeatsUnknown = id == unknownID && ids.count > first && ids.last == Int32(id)
            if !repeatsUnknown { ids.append(Int32(id)) }
            end = start
        }
        ids[first...].reverse()
    }

    /// The bytes of the UTF-8 character that starts with `byte`.
    private static func characterLength(_ byte: UInt8) -> Int {
        byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    }
}

/// Cleans a prompt as the released pipeline does before it makes tokens: repaired text, character
/// references resolved, every run of white space one blank, none at the ends.
///
/// The order is that of `HuggingfaceTokenizer(clean: "whitespace")` in
/// <https://github.com/Wan-Video/Wan2.2/blob/84b91a8/wan/modules/tokenizers.py>. Text that was decoded
/// with a wrong encoding ("cafÃ©") is left as it is: see MODEL.md.
public enum PromptCleaner {
    /// The cleaned text; empty if the prompt holds nothing but white space.
    public static func clean(_ prompt: String) -> String {
        var text = TextRepair.repair(Array(prompt.unicodeScalars))
        // Twice, so that what was escaped twice (`&amp;lt;`) is plain too.
        text = HTMLEntities.unescape(HTMLEntities.unescape(text))
        return collapseWhitespace(text)
    }

    /// Turns each run of white space into one blank and drops it at both ends.
    private static func collapseWhitespace(_ text: [Unicode.Scalar]) -> String {
        var result = String.UnicodeScalarView()
        var pendingBlank = false
        for scalar in text {
            if scalar.properties.isWhitespace {
                pendingBlank = !result.isEmpty
            } else {
                if pendingBlank { result.append(" ") }
                pendingBlank = false
                result.append(scalar)
            }
        }
        return String(result)
    }
}

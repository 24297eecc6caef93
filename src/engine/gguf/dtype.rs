//! Tensor type ids of GGUF files ⇄ candle's types.

use candle_core::quantized::GgmlDType;

const KNOWN: [(u32, GgmlDType, &str); 15] = [
    (0, GgmlDType::F32, "F32"),
    (1, GgmlDType::F16, "F16"),
    (2, GgmlDType::Q4_0, "Q4_0"),
    (3, GgmlDType::Q4_1, "Q4_1"),
    (6, GgmlDType::Q5_0, "Q5_0"),
    (7, GgmlDType::Q5_1, "Q5_1"),
    (8, GgmlDType::Q8_0, "Q8_0"),
    (9, GgmlDType::Q8_1, "Q8_1"),
    (10, GgmlDType::Q2K, "Q2_K"),
    (11, GgmlDType::Q3K, "Q3_K"),
    (12, GgmlDType::Q4K, "Q4_K"),
    (13, GgmlDType::Q5K, "Q5_K"),
    (14, GgmlDType::Q6K, "Q6_K"),
    (15, GgmlDType::Q8K, "Q8_K"),
    (30, GgmlDType::BF16, "BF16"),
];

/// Names of the types that files may use and this engine does not read.
const UNREAD: [(u32, &str); 17] = [
    (4, "Q4_2"),
    (5, "Q4_3"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (39, "MXFP4"),
];

/// The spelling of a type as model files are named: `Q4_K`, `F16`.
pub fn dtype_name(dtype: GgmlDType) -> &'static str {
    KNOWN.iter().find(|(_, known, _)| *known == dtype).map_or("?", |(_, _, name)| name)
}

/// The type with this id; the error says which type it is and which are read.
pub(super) fn dtype_from_id(id: u32) -> Result<GgmlDType, String> {
    if let Some((_, dtype, _)) = KNOWN.iter().find(|(known, ..)| *known == id) {
        return Ok(*dtype);
    }
    let name = UNREAD.iter().find(|(known, _)| *known == id).map_or("unknown", |(_, name)| name);
    let known: Vec<_> = KNOWN.iter().map(|(_, _, name)| *name).collect();
    Err(format!("tensor type {id} ({name}) is not supported, only {}", known.join(", ")))
}

/// The id of a type in a file.
pub(super) fn dtype_id(dtype: GgmlDType) -> u32 {
    KNOWN.iter().find(|(_, known, _)| *known == dtype).map_or(u32::MAX, |(id, ..)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_type_survives_the_way_to_its_id_and_back() {
        for (id, dtype, name) in KNOWN {
            assert_eq!(dtype_from_id(id), Ok(dtype));
            assert_eq!(dtype_id(dtype), id);
            assert_eq!(dtype_name(dtype), name);
        }
    }

    #[test]
    fn an_unread_type_is_named() {
        let message = dtype_from_id(23).unwrap_err();
        assert!(message.contains("23 (IQ4_XS)"), "{message}");
        assert!(dtype_from_id(999).unwrap_err().contains("999 (unknown)"));
    }
}

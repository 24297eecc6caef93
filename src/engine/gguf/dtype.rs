//! Tensor type ids of GGUF files ⇄ block formats.

use agent_pass::block::BlockType;

const KNOWN: [(u32, BlockType, &str); 15] = [
    (0, BlockType::F32, "F32"),
    (1, BlockType::F16, "F16"),
    (2, BlockType::Q4_0, "Q4_0"),
    (3, BlockType::Q4_1, "Q4_1"),
    (6, BlockType::Q5_0, "Q5_0"),
    (7, BlockType::Q5_1, "Q5_1"),
    (8, BlockType::Q8_0, "Q8_0"),
    (10, BlockType::Q2_K, "Q2_K"),
    (11, BlockType::Q3_K, "Q3_K"),
    (12, BlockType::Q4_K, "Q4_K"),
    (13, BlockType::Q5_K, "Q5_K"),
    (14, BlockType::Q6_K, "Q6_K"),
    (20, BlockType::IQ4_NL, "IQ4_NL"),
    (23, BlockType::IQ4_XS, "IQ4_XS"),
    (30, BlockType::BF16, "BF16"),
];

/// Names of the types that files may use and this engine does not read. `Q8_1` and `Q8_K` are what
/// activations are kept in while computing; no program writes files of them.
const UNREAD: [(u32, &str); 20] = [
    (4, "Q4_2"),
    (5, "Q4_3"),
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
];

/// The spelling of a type as model files are named: `Q4_K`, `F16`.
pub fn dtype_name(dtype: BlockType) -> &'static str {
    KNOWN.iter().find(|(_, known, _)| *known == dtype).map_or("?", |(_, _, name)| name)
}

/// The type with this id; the error says which type it is and which are read.
pub(super) fn dtype_from_id(id: u32) -> Result<BlockType, String> {
    if let Some((_, dtype, _)) = KNOWN.iter().find(|(known, ..)| *known == id) {
        return Ok(*dtype);
    }
    let name = UNREAD.iter().find(|(known, _)| *known == id).map_or("unknown", |(_, name)| name);
    let known: Vec<_> = KNOWN.iter().map(|(_, _, name)| *name).collect();
    Err(format!("tensor type {id} ({name}) is not supported, only {}", known.join(", ")))
}

/// The id of a type in a file.
pub(super) fn dtype_id(dtype: BlockType) -> u32 {
    KNOWN.iter().find(|(_, known, _)| *known == dtype).map_or(u32::MAX, |(id, ..)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_survives_the_way_to_its_id_and_back() {
        for dtype in BlockType::ALL {
            assert_eq!(dtype_from_id(dtype_id(dtype)), Ok(dtype));
            assert_eq!(dtype_name(dtype), format!("{dtype:?}"));
        }
    }

    #[test]
    fn an_unread_type_is_named() {
        let message = dtype_from_id(16).unwrap_err();
        assert!(message.contains("16 (IQ2_XXS)") && message.contains("IQ4_XS"), "{message}");
        assert!(dtype_from_id(15).unwrap_err().contains("15 (Q8_K)"));
        assert!(dtype_from_id(999).unwrap_err().contains("999 (unknown)"));
    }
}

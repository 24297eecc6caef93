//! A `StarCoder2` file run by candle-transformers, which has it in f32 and with a tied output only.

use std::collections::HashMap;

use agent::engine::gguf::Gguf;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::starcoder2::{Config, Model};

use super::tiny_model::{CONTEXT, FEED_FORWARD, HEADS, HIDDEN, KV_HEADS, LAYERS, VOCABULARY};

/// The model in `gguf`, its weights dequantized.
pub(crate) fn load(gguf: &Gguf) -> Model {
    let config: Config = serde_json::from_value(serde_json::json!({
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "intermediate_size": FEED_FORWARD,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "hidden_act": "gelu_pytorch_tanh",
        "max_position_embeddings": CONTEXT,
        "norm_epsilon": 1e-6,
        "rope_theta": 10_000.0,
        "use_bias": true,
        "sliding_window": null,
    }))
    .unwrap();
    let tensors: HashMap<String, Tensor> = gguf
        .tensors
        .keys()
        .map(|name| {
            let tensor = gguf.tensor(name, &Device::Cpu).unwrap();
            (their_name(name), tensor.dequantize(&Device::Cpu).unwrap())
        })
        .collect();
    let tensors = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    Model::new(&config, tensors).unwrap()
}

/// `blk.0.ffn_up.bias` → `model.layers.0.mlp.c_fc.bias`.
fn their_name(name: &str) -> String {
    let (part, kind) = name.rsplit_once('.').unwrap();
    let theirs = match part {
        "token_embd" => "embed_tokens".to_owned(),
        "output_norm" => "norm".to_owned(),
        _ => {
            let (layer, part) = part.strip_prefix("blk.").unwrap().split_once('.').unwrap();
            let theirs = match part {
                "attn_q" => "self_attn.q_proj",
                "attn_k" => "self_attn.k_proj",
                "attn_v" => "self_attn.v_proj",
                "attn_output" => "self_attn.o_proj",
                "attn_norm" => "input_layernorm",
                "ffn_norm" => "post_attention_layernorm",
                "ffn_up" => "mlp.c_fc",
                "ffn_down" => "mlp.c_proj",
                other => panic!("{other}"),
            };
            format!("layers.{layer}.{theirs}")
        }
    };
    format!("model.{theirs}.{kind}")
}

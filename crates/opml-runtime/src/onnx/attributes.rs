//! The attributes of a node, each asked for by its name and type.

use super::{
    array::Array,
    error::Reasoned,
    operator::normal_axis,
    proto::{self, attribute_type},
};

/// The longest window, stride, dilation or border: far beyond what an image has, small enough that sums of them are exact.
const MAX_WINDOW: i64 = 65_535;

pub struct Attributes<'a>(pub &'a [proto::Attribute]);

impl<'a> Attributes<'a> {
    fn get(&self, name: &str, r#type: i32) -> Reasoned<Option<&'a proto::Attribute>> {
        match self.0.iter().find(|attribute| attribute.name == name) {
            Some(attribute) if attribute.r#type != r#type => Err(format!("its attribute {name} has another type")),
            found => Ok(found),
        }
    }

    pub fn int(&self, name: &str, default: i64) -> Reasoned<i64> {
        Ok(self
            .get(name, attribute_type::INT)?
            .map_or(default, |attribute| attribute.i))
    }

    pub fn required_int(&self, name: &str) -> Reasoned<i64> {
        self.get(name, attribute_type::INT)?
            .map(|attribute| attribute.i)
            .ok_or_else(|| format!("it has no {name}"))
    }

    pub fn float(&self, name: &str, default: f32) -> Reasoned<f32> {
        Ok(self
            .get(name, attribute_type::FLOAT)?
            .map_or(default, |attribute| attribute.f))
    }

    pub fn string(&self, name: &str, default: &str) -> Reasoned<String> {
        match self.get(name, attribute_type::STRING)? {
            None => Ok(default.into()),
            Some(attribute) => {
                String::from_utf8(attribute.s.clone()).map_err(|_| format!("its attribute {name} is not text"))
            }
        }
    }

    pub fn ints(&self, name: &str) -> Reasoned<Option<Vec<i64>>> {
        Ok(self
            .get(name, attribute_type::INTS)?
            .map(|attribute| attribute.ints.clone()))
    }

    pub fn floats(&self, name: &str) -> Reasoned<Option<Vec<f32>>> {
        Ok(self
            .get(name, attribute_type::FLOATS)?
            .map(|attribute| attribute.floats.clone()))
    }

    pub fn tensor(&self, name: &str) -> Reasoned<Option<Array>> {
        match self.get(name, attribute_type::TENSOR)? {
            None => Ok(None),
            Some(attribute) => {
                let tensor = attribute
                    .t
                    .as_ref()
                    .ok_or_else(|| format!("its attribute {name} is empty"))?;
                Array::from_onnx(tensor).map(Some)
            }
        }
    }

    /// One of `rank` dimensions.
    pub fn axis(&self, name: &str, default: i64, rank: usize) -> Reasoned<usize> {
        normal_axis(self.int(name, default)?, rank)
    }

    /// A positive number.
    pub fn count(&self, name: &str, default: i64) -> Reasoned<usize> {
        match self.int(name, default)? {
            count @ 1.. => Ok(count as usize),
            count => Err(format!("{count} is not possible for {name}")),
        }
    }

    /// One positive number for the height and one for the width.
    pub fn pair(&self, name: &str) -> Reasoned<Option<[usize; 2]>> {
        match self.ints(name)?.as_deref() {
            None => Ok(None),
            Some(&[h @ 1..=MAX_WINDOW, w @ 1..=MAX_WINDOW]) => Ok(Some([h as usize, w as usize])),
            Some(_) => Err(format!(
                "its {name} must be two numbers from 1 to {MAX_WINDOW}, for height and width"
            )),
        }
    }

    /// Lengths of the borders before each of `rank` dimensions, then behind them.
    pub fn padding(&self, name: &str, rank: usize) -> Reasoned<Option<Vec<usize>>> {
        let Some(pads) = self.ints(name)? else { return Ok(None) };
        if pads.len() != 2 * rank || pads.iter().any(|pad| !(0..=MAX_WINDOW).contains(pad)) {
            return Err(format!(
                "its {name} must be {} numbers from 0 to {MAX_WINDOW}",
                2 * rank
            ));
        }
        Ok(Some(pads.into_iter().map(|pad| pad as usize).collect()))
    }
}
